// Which members of the API's objects an answer may lack, out of the type declarations of the official Node SDK.
//
//   npm pack stripe@VERSION && tar xzf stripe-VERSION.tgz && npm install typescript@5
//   node members.mjs package/esm/resources objects.facts > members.facts
//
// The OpenAPI document that the facts are made from does not tell `null` from absent; these declarations do:
// `name?: T` is a member that an answer may lack, `name: T | null` one that is always there. A member that the
// facts have and the declarations lack is one that an answer may lack too: the document takes some nested types
// for others of the same name.
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
/// The members that the facts have, as a tree.
const facts = new Map();
let path = [];
for (const line of readFileSync(process.argv[3], 'utf8').split('\n')) {
  const text = line.trim();
  if (!text || text === '+' || text.startsWith('#')) continue;
  const depth = (line.length - line.trimStart().length) / 2;
  const members = new Map();
  if (depth === 0) facts.set(text.replace('object ', ''), members);
  else {
    const name = /^[^*? ]+/.exec(text)[0];
    path[depth - 1].set(name, path[depth - 1].get(name) ?? members);
    path[depth] = path[depth - 1].get(name);
    continue;
  }
  path = [members];
}
const compare = (node, known) => {
  for (const [name, inner] of known) {
    const child = node.members.get(name);
    if (child) compare(child, inner);
    else node.members.set(name, {optional: true, nullable: true, members: new Map()});
  }
};

let out = `# Written by members.mjs from the type declarations of stripe ${JSON.parse(readFileSync(join(root, '../../package.json'))).version} for Node; not edited by hand.\n`;
for (const kind of [...kinds.keys()].sort()) {
  const found = kinds.get(kind);
  if (found.length > 1) console.error(kind, found.map((f) => f[0]).join(' '));
  const node = {members: new Map()};
  for (const [, type, at] of found) describe(type, at, node, [], true);
  if (found.length > 1) for (const [name, child] of node.members) child.optional ||= found.some(([, type]) => !type.getProperty(name));
  if (facts.has(kind)) compare(node, facts.get(kind));
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
