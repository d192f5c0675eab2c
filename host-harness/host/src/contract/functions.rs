//! The functions that a component of the world exports, with their types as the host calls them.
//!
//! They are found, and their types compared with the component's, when it is loaded: a call looks up one function by its
//! index, and one of another type is refused before anything runs.

use std::marker::PhantomData;
use std::sync::Arc;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentExportIndex, ComponentNamedList, Lift, Lower};

use super::bindings::automation::connector::types::{CallContext, Error, File, Json};
use super::bindings::exports::automation::connector::actions::ActionResult;
use super::bindings::exports::automation::connector::connection::{ConnectionReport, ConnectionType, Permission};
use super::bindings::exports::automation::connector::operations::{
    DescribeRequest, Operation, OperationFilter, OperationPage,
};
use super::bindings::exports::automation::connector::queries::QueryResult;
use super::bindings::exports::automation::connector::resources::{ChoicePage, ChoiceRequest, ResourceType};
use super::bindings::exports::automation::connector::triggers::{
    Event, PollResult, Receipt, RecentEvents, Subscription, SubscriptionRequest, TriggerUse, Unsubscribed,
    WebhookRequest,
};
use super::{PACKAGE, VERSION};

/// A function of a component, by its index.
pub(crate) struct Function<P, R> {
    /// The interface and function: `actions.run`.
    pub(crate) name: &'static str,
    pub(crate) index: ComponentExportIndex,
    types: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for Function<P, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, R> Copy for Function<P, R> {}

/// What is wrong with what a component exports.
#[derive(Debug, Default)]
pub(crate) struct Unfit {
    /// What it lacks.
    pub(crate) missing: Vec<String>,
    /// What is of another type, and how.
    pub(crate) of_other_type: Vec<(String, String)>,
}

impl Unfit {
    fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.of_other_type.is_empty()
    }
}

impl<P, R> Function<P, R>
where
    P: ComponentNamedList + Lower,
    R: Lift + 'static,
    (R,): ComponentNamedList + Lift,
{
    fn find(component: &Component, interface: &str, name: &'static str, unfit: &mut Unfit) -> Option<Self> {
        let path = format!("{PACKAGE}/{interface}@{VERSION}");
        let Some((ComponentItem::ComponentInstance(_), instance)) = component.get_export(None, path.as_str()) else {
            if !unfit.missing.contains(&path) {
                unfit.missing.push(path);
            }
            return None;
        };
        let function = name.split_once('.').map_or(name, |(_, function)| function);
        let Some((ComponentItem::ComponentFunc(found), index)) = component.get_export(Some(&instance), function) else {
            unfit.missing.push(format!("{path}#{function}"));
            return None;
        };
        if let Err(error) = found.typecheck::<P, (R,)>(&component.component_type().instance_type()) {
            let reason: Vec<String> = error.chain().map(ToString::to_string).collect();
            unfit.of_other_type.push((format!("{path}#{function}"), reason.join(": ")));
            return None;
        }
        Some(Self { name, index, types: PhantomData })
    }
}

macro_rules! functions {
    ($($field:ident: $interface:literal $function:literal ($($param:ty),*) -> $result:ty;)*) => {
        /// Every function of the world.
        pub(crate) struct Functions {
            $(pub(crate) $field: Function<($($param,)*), $result>,)*
        }

        impl Functions {
            /// Those of a component, or everything that is wrong with them.
            pub(crate) fn of(component: &Component) -> Result<Self, Unfit> {
                let mut unfit = Unfit::default();
                $(let $field = Function::find(component, $interface, concat!($interface, ".", $function), &mut unfit);)*
                match ($($field,)*) {
                    ($(Some($field),)*) if unfit.is_empty() => Ok(Self { $($field,)* }),
                    _ => Err(unfit),
                }
            }
        }
    };
}

functions! {
    connection_describe: "connection" "describe" () -> ConnectionType;
    connection_test: "connection" "test" (CallContext) -> Result<ConnectionReport, Error>;
    connection_permissions: "connection" "permissions" (Vec<String>) -> Result<Vec<Permission>, Error>;
    operations_list: "operations" "list" (OperationFilter, Option<String>, Option<u32>) -> Result<OperationPage, Error>;
    operations_describe: "operations" "describe" (DescribeRequest) -> Result<Operation, Error>;
    object_schema: "operations" "object-schema" (String) -> Result<Json, Error>;
    run_action: "actions" "run" (CallContext, String, Json, Vec<File>) -> Result<ActionResult, Error>;
    run_query: "queries" "run" (CallContext, String, Json, Option<String>) -> Result<QueryResult, Error>;
    receive: "triggers" "receive" (CallContext, Option<Arc<String>>, Vec<TriggerUse>, WebhookRequest) -> Result<Receipt, Error>;
    load: "triggers" "load" (CallContext, Vec<TriggerUse>, Json) -> Result<Event, Error>;
    subscribe: "triggers" "subscribe" (CallContext, SubscriptionRequest) -> Result<Subscription, Error>;
    renew: "triggers" "renew" (CallContext, Arc<String>) -> Result<Subscription, Error>;
    unsubscribe: "triggers" "unsubscribe" (CallContext, Arc<String>, Option<Vec<String>>) -> Result<Unsubscribed, Error>;
    poll: "triggers" "poll" (CallContext, Vec<TriggerUse>, Option<String>) -> Result<PollResult, Error>;
    recent: "triggers" "recent" (CallContext, TriggerUse, u32) -> Result<RecentEvents, Error>;
    sample: "triggers" "sample" (String) -> Result<Event, Error>;
    resources_list: "resources" "list" () -> Vec<ResourceType>;
    resources_resolve: "resources" "resolve" (String) -> Option<String>;
    choices: "resources" "choices" (CallContext, ChoiceRequest) -> Result<ChoicePage, Error>;
}
