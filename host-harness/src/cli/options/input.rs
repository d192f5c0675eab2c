//! `--input JSON`, `--input @FILE` and `--input -`.
//!
//! Whether the input is right is the connector's to say, so that every platform and this command line give the same
//! answer; here only what cannot be read at all is refused.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::cli::failure::Failure;

/// The input's text. What is far over the connector's limit is not even read to its end.
pub fn read(given: &str, limit: usize) -> Result<String, Failure> {
    let (name, source): (String, Box<dyn Read>) = match given.strip_prefix('@') {
        _ if given == "-" => ("standard input".to_owned(), Box::new(std::io::stdin())),
        Some(path) => {
            let file = File::open(Path::new(path))
                .map_err(|error| Failure::usage(format!("the input file {path} cannot be read: {error}")))?;
            (path.to_owned(), Box::new(file))
        }
        None => return Ok(given.to_owned()),
    };
    let most = limit.saturating_mul(16);
    let mut bytes = Vec::new();
    let read = source.take(most as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::usage(format!("{name} cannot be read: {error}")))?;
    if bytes.len() > most {
        let (size, limit) = (most / 1024, limit / 1024);
        return Err(Failure::usage(format!("{name} is over {size} KiB; an input has at most {limit} KiB")));
    }
    String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{name} is not text in UTF-8")))
}
