/** Text of a guest, a tree or a manifest inside Markdown. */

/** Markdown that shows text from the guest or a manifest as text: every character with a meaning is escaped. */
export function escapeMarkdown(text: string): string {
	return text.replace(/[\\`*_{}[\]()#+\-.!<>|~&]/g, "\\$&");
}

/** A code block that the text cannot close, whatever it holds. */
export function codeBlock(text: string): string {
	const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((match) => match[0].length));
	const fence = "`".repeat(longest + 1);
	return `${fence}text\n${text}\n${fence}`;
}
