//! The contract's types and exports, generated from `schemas/plugin.wit`.

wit_bindgen::generate!({
    path: "../../schemas/plugin.wit",
    world: "plugin",
    pub_export_macro: true,
    export_macro_name: "export_component",
    additional_derives: [PartialEq, Eq],
    generate_unused_types: true,
});
