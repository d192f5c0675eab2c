// Which members of the API's objects an answer may lack, out of the type declarations of the official Node SDK.
//
//   npm pack stripe@VERSION && tar xzf stripe-VERSION.tgz && npm install typescript@5
//   node presence.mjs package/esm/resources > presence.facts
//
// The OpenAPI document that the facts are made from does not tell `null` from absent; these declarations do:
// `name?: T` is a member that an answer may lack, `name: T | null` one that is always there.
import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {createRequire} from 'node:module';
const ts = createRequire(join(process.cwd(), '_'))('typescript');

const root = process.argv[2];
const files = readdirSync(root, {recursive: true}).filter((f) => f.endsWith('.d.ts')).map((f) => join(root, f));
const program = ts.createProgram(files, {strict: true, noEmit: true, skipLibCheck: true, module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16, target: ts.ScriptTarget.ES2022});
const checker = program.getTypeChecker();

const literal = (type) => (type.isStringLiteral() ? type.value : undefined);
const nullish = ts.TypeFlags.Null | ts.TypeFlags.Undefined | ts.TypeFlags.Void;
const parts = (type) => (type.isUnion() ? type.types : [type]).filter((t) => !(t.flags & nullish));
const objectOf = (type, at) => {
  const property = type.getProperty?.('object');
  return property && literal(checker.getTypeOfSymbolAtLocation(property, at));
};

/// Merges what one type says into a node: a member is optional when it is so anywhere.
function describe(type, at, node, stack, top) {
  for (let part of parts(type)) {
    if (part.flags & ts.TypeFlags.Intersection) { part.types.forEach((t) => describe(t, at, node, stack, top)); continue; }
    if (!(part.flags & ts.TypeFlags.Object) || stack.includes(part)) continue;
    const name = part.symbol?.name;
    if (checker.isArrayType(part)) { describe(checker.getTypeArguments(part)[0], at, node, stack); continue; }
    if (name === 'ApiList' || name === 'ApiSearchResult' || name === 'Decimal' || name === 'Date') continue;
    if (!top && objectOf(part, at)) continue;
    const index = checker.getIndexInfoOfType(part, ts.IndexKind.String);
    if (index) { describe(index.type, at, node, [...stack, part]); }
    const properties = part.getProperties();
    for (const property of properties) {
      const type = checker.getTypeOfSymbolAtLocation(property, at);
      if (checker.getSignaturesOfType(type, ts.SignatureKind.Call).length) continue;
      const optional = !!(property.flags & ts.SymbolFlags.Optional);
      const nullable = (type.isUnion() ? type.types : [type]).some((t) => t.flags & ts.TypeFlags.Null);
      const known = node.members.get(property.name);
      const child = known ?? {optional, nullable, members: new Map()};
      child.optional ||= optional; child.nullable ||= nullable;
      node.members.set(property.name, child);
      describe(type, at, child, [...stack, part]);
    }
  }
}

const kinds = new Map();
for (const file of program.getSourceFiles()) {
  if (!files.some((f) => file.fileName.endsWith(f))) continue;
  const visit = (statement) => {
    if (!ts.isInterfaceDeclaration(statement)) return;
    const type = checker.getTypeAtLocation(statement);
    const kind = objectOf(type, statement);
    if (!kind || kind === 'list' || kind === 'search_result' || /^Deleted|(Event|EventNotification)$/.test(statement.name.text)) return;
    if (!kinds.has(kind)) kinds.set(kind, []);
    kinds.get(kind).push([statement.name.text, type, statement]);
  };
  file.statements.forEach(visit);
}
let out = `# Written by presence.mjs from the type declarations of stripe ${JSON.parse(readFileSync(join(root, '../../package.json'))).version} for Node; not edited by hand.\n`;
for (const kind of [...kinds.keys()].sort()) {
  const found = kinds.get(kind);
  if (found.length > 1) console.error(kind, found.map((f) => f[0]).join(' '));
  const node = {members: new Map()};
  for (const [, type, at] of found) describe(type, at, node, [], true);
  if (found.length > 1) for (const [name, child] of node.members) child.optional ||= found.some(([, type]) => !type.getProperty(name));
  out += `\nobject ${kind}\n`;
  const write = (node, depth) => {
    let text = '';
    for (const [name, child] of [...node.members].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const inner = write(child, depth + 1);
      if (!child.optional && !inner) continue;
      text += `${'  '.repeat(depth)}${name}${child.optional ? (child.nullable ? '-?' : '-') : ''}\n${inner}`;
    }
    return text;
  };
  out += write(node, 1);
}
process.stdout.write(out);
