"""How each kind of component is built: a module a kind, all with a `build` that fills the folder of a `Job`."""
