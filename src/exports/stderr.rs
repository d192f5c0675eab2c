//! What Rust's standard library asks of C's when it panics, answered here: an environment, which is empty, and standard
//! error.
//!
//! C's own answers would bring a table of open files, standard input and output, their terminals and an exit: eight
//! interfaces of WASI that a user would have to trust and that every call would link, for a text that nobody should ever
//! see. The linker takes these functions in their place.

use std::ffi::{c_char, c_int, c_void};
use std::ptr::null_mut;
use std::slice;

use waki::bindings::wasi::cli::stderr::get_stderr;

/// The value of an environment variable: there is none.
#[unsafe(no_mangle)]
extern "C" fn getenv(_name: *const c_char) -> *mut c_char {
    null_mut()
}

/// One of the texts that are written at once.
#[repr(C)]
struct Piece {
    start: *const c_void,
    length: usize,
}

/// Writes texts, to standard error whatever the file.
///
/// # Safety
/// So many are there.
#[unsafe(no_mangle)]
unsafe extern "C" fn writev(file: c_int, pieces: *const Piece, count: c_int) -> isize {
    let mut written = 0;
    for index in 0..usize::try_from(count).unwrap_or_default() {
        // SAFETY: the caller's.
        written += unsafe {
            let piece = &*pieces.add(index);
            write(file, piece.start, piece.length)
        };
    }
    written
}

/// Writes a text, to standard error whatever the file. What it does not take is lost: it is about a program that ends.
///
/// # Safety
/// So many bytes are there.
#[unsafe(no_mangle)]
unsafe extern "C" fn write(_file: c_int, start: *const c_void, length: usize) -> isize {
    // SAFETY: the caller's.
    let text = unsafe { slice::from_raw_parts(start.cast::<u8>(), length) };
    let stream = get_stderr();
    let room = stream.check_write().ok().and_then(|room| usize::try_from(room).ok());
    if let Some(text) = text.get(..length.min(room.unwrap_or_default())) {
        let _ = stream.write(text);
    }
    length.cast_signed()
}
