/**
 * Text of a guest or of a tree, made safe to show: terminals obey control sequences (title, clipboard, cursor), and
 * bidirectional controls show a line in another order than it is stored in (Unicode Technical Report 36, 3.1).
 */

/** C0 but tab and line feed, DEL, C1, the bidirectional controls, line and paragraph separators, zero-width characters, and the byte order mark. */
const hidden =
	/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function name(character: string): string {
	const code = character.charCodeAt(0);
	if (code < 0x20) return `^${String.fromCharCode(code + 0x40)}`;
	if (code === 0x7f) return "^?";
	return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}

/** Control characters as `^[`, others that cannot be seen as `<U+202E>`; a carriage return before a line feed is dropped. */
export function visible(text: string): string {
	return text.replace(/\r\n/g, "\n").replace(hidden, name);
}

/** The same on one line: a line feed becomes `\n` in print. */
export function visibleLine(text: string): string {
	return visible(text).replace(/\n/g, "\\n");
}

/** For Markdown that VS Code shows: what would be a link, an image, HTML or code stays text. */
export function escapeMarkdown(text: string): string {
	return visible(text).replace(/[\\`*_{}[\]()<>#+\-.!|~&]/g, "\\$&");
}

/** Inside a fenced block: a fence longer than any run of back quotes in the text. */
export function fenced(text: string): string {
	const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
	const fence = "`".repeat(longest + 1);
	return `${fence}\n${visible(text)}\n${fence}`;
}

/** For HTML, in text and in quoted attributes. */
export function escapeHtml(text: string): string {
	return visible(text).replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * One field of a CSV file (RFC 4180). What a spreadsheet would take for a formula gets an apostrophe before it, as
 * OWASP advises (CSV Injection).
 */
export function csvField(text: string): string {
	const shown = visible(text);
	const plain = /^[=+\-@\t]/.test(shown) ? `'${shown}` : shown;
	return /[",\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
