//! Files go in with an action and come out with its result, as bytes.

use crate::support::{Guest, call};
use host::Invocation;
use host::contract::File;

fn file(name: &str, content: Vec<u8>) -> File {
    File { field: "file".to_owned(), name: name.to_owned(), content_type: "application/pdf".to_owned(), content }
}

#[tokio::test]
async fn bytes_go_in_and_come_out_as_they_are() {
    // Answers with the files that it got: their address and their number, from the arguments into the result.
    let echo = "(i32.store (i32.const 1096) (i32.load offset=104 (local.get 0)))
        (i32.store (i32.const 1100) (i32.load offset=108 (local.get 0))) (i32.const 1024)";
    let connector = Guest::new().memory(64).function("actions", "run", echo).load();
    let every_byte: Vec<u8> = (0..=255).collect();
    let files = vec![file("receipt.pdf", every_byte), file("empty.pdf", Vec::new()), file("ä.pdf", vec![0; 1 << 20])];
    let call = call(Invocation::new("run_1"));
    let reply = connector.run_action_with_files(&call, "a", "{}", files.clone()).await.unwrap();
    assert_eq!(reply.value.files, files);
    let report = serde_json::to_string(&reply.report).unwrap();
    assert!(!report.contains("receipt"), "{report}");
    assert!(connector.run_action(&call, "a", "{}").await.unwrap().value.files.is_empty());
}
