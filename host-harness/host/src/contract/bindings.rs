//! What the generator makes of `wit/`.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "connector",
    exports: { default: async },
    additional_derives: [PartialEq],
});
