//! Texts that a guest makes the host keep, where the host's own implementation takes them in any length.
//!
//! A request under construction keeps its method and its authority until it is sent or dropped; how long its path may be is
//! bounded there, and its headers in `store`.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::http::types::{HostOutgoingRequest, Method};
use wasmtime_wasi_http::p2::types::HostOutgoingRequest as Request;

use super::store::State;

/// The interface as the linker knows it: with the version that the bindings were made of.
const TYPES: &str = "wasi:http/types@0.2.12";

/// The longest registered method has 17 letters.
const LONGEST_METHOD: usize = 32;

/// A name has at most 253 letters; a port and a user's name and password come on top, which no request is let out with.
const LONGEST_AUTHORITY: usize = 1024;

/// Refuses longer ones, as what is no method and no authority is refused.
pub(crate) fn bound_texts(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap(
        "[method]outgoing-request.set-method",
        |mut store: StoreContextMut<'_, State>, (request, method): (Resource<Request>, Method)| match &method {
            Method::Other(name) if name.len() > LONGEST_METHOD => Ok((Err(()),)),
            _ => Ok((store.data_mut().http().set_method(request, method)?,)),
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-authority",
        |mut store: StoreContextMut<'_, State>, (request, authority): (Resource<Request>, Option<String>)| {
            match &authority {
                Some(text) if text.len() > LONGEST_AUTHORITY => Ok((Err(()),)),
                _ => Ok((store.data_mut().http().set_authority(request, authority)?,)),
            }
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}
