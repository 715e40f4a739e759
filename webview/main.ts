import "./elements/inspector.ts";
