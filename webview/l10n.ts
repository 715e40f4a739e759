/** Strings of the page in the reader's language: the extension's own bundle, which the host writes into the page. */
const bundle = readBundle();

function readBundle(): Readonly<Record<string, string>> {
	if (typeof document === "undefined") return {};
	const text = document.getElementById("l10n")?.textContent;
	return text ? (JSON.parse(text) as Record<string, string>) : {};
}

export const l10n = {
	/** Words of protocol/words.ts, which marks them for translators. */
	word(words: string, ...args: readonly (string | number)[]): string {
		return this.t(words, ...args);
	},
	/** As `vscode.l10n.t`: `{0}` stands for the first argument. */
	t(message: string, ...args: readonly (string | number)[]): string {
		return (bundle[message] ?? message).replace(/\{(\d+)\}/g, (whole, index) => String(args[Number(index)] ?? whole));
	},
};
