//! A walk through every cursor of a table, damaged or not.

use stripe_table::{Fields, Shape, Table, Texts};

/// How deep it goes into shapes; a table that passes the check has none that lie deeper.
const DEPTH: u32 = 64;

/// What a walk saw.
pub struct Walk {
    left: usize,
    /// Whether every list had as many entries as it said, and the walk came to its end.
    pub whole: bool,
}

impl Walk {
    /// Goes through everything, but looks at no more than so many things: damaged shapes may spell out more than
    /// anybody wants to see.
    pub fn of(table: Table<'_>, most: usize) -> Self {
        let mut walk = Self { left: most, whole: true };
        walk.table(table);
        walk
    }

    fn step(&mut self) -> bool {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => self.whole = false,
        }
        self.left > 0
    }

    /// Goes through a list, which has so many entries.
    fn list<T>(&mut self, len: usize, entries: impl Iterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        let mut count = 0;
        for entry in entries {
            if !self.step() {
                return;
            }
            each(self, entry);
            count += 1;
        }
        self.whole &= count == len;
    }

    fn texts(&mut self, texts: Texts<'_>) {
        self.list(texts.len(), texts.iter(), |_, _| {});
        assert_eq!(texts.first().is_some(), texts.iter().next().is_some());
    }

    fn fields(&mut self, fields: Fields<'_>, depth: u32) {
        self.list(fields.len(), fields.iter(), |walk, field| {
            let _ = (field.name(), field.required(), field.nullable());
            walk.shape(field.shape(), depth + 1);
        });
    }

    fn shape(&mut self, shape: Shape<'_>, depth: u32) {
        if !self.step() {
            return;
        }
        if depth > DEPTH {
            self.whole = false;
            return;
        }
        let _ = (shape.is_empty_string(), format!("{shape:?}"));
        match shape {
            Shape::Enum(texts) | Shape::Expandable(texts) => self.texts(texts),
            Shape::Array(inner)
            | Shape::Map(inner)
            | Shape::List(inner)
            | Shape::Search(inner)
            | Shape::Pages(inner) => self.shape(inner.get(), depth + 1),
            Shape::Object(fields) => self.fields(fields, depth),
            Shape::Union(parts) => self.list(parts.len(), parts.iter(), |walk, part| walk.shape(part, depth + 1)),
            _ => {}
        }
    }

    fn table(&mut self, table: Table<'_>) {
        self.list(table.constants().len(), table.constants().iter(), |_, (name, _)| {
            table.constant(name);
        });
        self.list(table.auth_methods().len(), table.auth_methods().iter(), |walk, it| {
            let _ = (it.name(), it.title(), it.kind(), it.authorize_url(), it.token_url(), it.pkce());
            walk.texts(it.fields());
            walk.texts(it.scopes());
        });
        self.list(table.connection_fields().len(), table.connection_fields().iter(), |_, it| {
            let _ = (it.name(), it.kind(), it.title(), it.help(), it.required(), it.placeholder(), it.link());
            it.default();
        });
        self.list(table.permissions().len(), table.permissions().iter(), |_, it| {
            let _ = (it.name(), it.title(), it.probe(), it.triggers());
        });
        self.list(table.advice().len(), table.advice().iter(), |walk, it| {
            let _ = (it.about(), it.hint());
            walk.texts(it.of());
        });
        self.list(table.requests().len(), table.requests().iter(), |walk, it| {
            let _ = (it.method(), it.path(), it.encoding(), it.base(), it.read_only(), it.binary());
            let _ = (it.permission(), table.request(it.id()), it.path_names().count());
            walk.fields(it.parameters(), 0);
            walk.shape(it.response(), 0);
        });
        self.list(table.objects().len(), table.objects().iter(), |walk, it| {
            table.object(it.name());
            walk.fields(it.fields(), 0);
        });
        self.list(table.events().len(), table.events().iter(), |_, it| {
            let _ = (table.event(it.name()), it.object());
        });
        self.list(table.operations().len(), table.operations().iter(), |walk, it| {
            let _ = (table.operation(it.id()), it.kind(), it.title(), it.description(), it.resource(), it.safety());
            let _ = (it.request(), it.sample(), it.defaults(), it.fixed(), it.hook(), format!("{it:?}"));
            for texts in [it.aliases(), it.path_fields(), it.shown(), it.one_of()] {
                walk.texts(texts);
            }
            walk.fields(it.extra(), 0);
            walk.list(it.major_units().len(), it.major_units().iter(), |_, _| {});
            walk.list(it.meanings().len(), it.meanings().iter(), |_, meaning| {
                let _ = (meaning.title(), meaning.help(), meaning.rule(), meaning.picks());
                it.meaning(meaning.path());
            });
        });
        self.list(table.aliases().len(), table.aliases().iter(), |walk, it| {
            let _ = (table.alias(it.name()), it.operation(), it.kind(), it.defaults(), it.key(), it.sample());
            walk.texts(it.required());
            for pairs in [it.inputs(), it.filters(), it.outputs()] {
                walk.list(pairs.len(), pairs.iter(), |_, _| {});
            }
        });
        self.list(table.triggers().len(), table.triggers().iter(), |walk, it| {
            let _ = (table.trigger(it.id()), table.triggers_of_event(it.event()).len());
            let _ = (it.title(), it.description(), it.resource());
            walk.texts(it.aliases());
        });
        self.list(table.resources().len(), table.resources().iter(), |walk, it| {
            let _ = (table.resource(it.name()), table.resource_of_object(it.object()));
            let _ = (it.title(), it.internal(), it.dashboard(), it.choices(), it.search(), it.retrieve());
            for prefix in it.id_prefixes() {
                table.resource_of_id(prefix);
            }
            for texts in [it.id_prefixes(), it.label(), it.detail(), it.choices_need(), it.search_fields()] {
                walk.texts(texts);
            }
            walk.list(it.mapping().len(), it.mapping().iter(), |walk, mapping| {
                let _ = (mapping.internal(), mapping.kind());
                walk.texts(mapping.paths());
            });
        });
    }
}
