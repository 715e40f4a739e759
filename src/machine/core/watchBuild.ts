// The build of core-watch.wasm replaces this file by one that says true. Where it says false, not a byte of what depends on it
// is in the core.

export const WATCHING: bool = false;
