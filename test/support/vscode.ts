/** A small stand-in for VS Code's API, outside of what is tested. */
export * from "./vscode/inputs.ts";
export * from "./vscode/testing.ts";
export * from "./vscode/values.ts";
export * from "./vscode/webviews.ts";
export * from "./vscode/window.ts";
