/**
 * C (or assembly that is preprocessed) without its comments; what is between quotes stays. `places` puts blanks and line
 * feeds in a comment's place, so that lines and columns keep their numbers; `words` one blank; `lines` blanks, and vertical
 * tabs for line feeds, since a comment does not end a line (C17 5.1.1.2). Linear in the text, whatever is in it.
 */
export function withoutComments(text: string, keep: "places" | "words" | "lines"): string {
	let out = "";
	/** What is copied up to `at`. */
	let from = 0;
	let at = 0;
	/** End of the line in which a quote was found that is not closed: later ones of its kind are not tried. */
	const unclosed = { '"': -1, "'": -1 };
	let noMoreEnds = false;
	const drop = (end: number) => {
		const blank = keep === "words" ? " " : text.slice(at, end).replace(/[^\n]/g, " ");
		out += text.slice(from, at) + (keep === "lines" ? blank.replaceAll("\n", "\v") : blank);
		at = end;
		from = end;
	};
	for (;;) {
		special.lastIndex = at;
		const found: RegExpExecArray | null = special.exec(text);
		if (!found) return out + text.slice(from);
		at = found.index;
		const mark = found[0];
		if (mark === "//") {
			const end: number = text.indexOf("\n", at);
			drop(end < 0 ? text.length : end);
		} else if (mark === "/*") {
			const end: number = noMoreEnds ? -1 : text.indexOf("*/", at + 2);
			noMoreEnds = end < 0;
			if (end < 0) at += 2;
			else drop(end + 2);
		} else {
			const quote = mark as '"' | "'";
			const end: number | undefined = at < unclosed[quote] ? undefined : closing(text, at, quote);
			if (end === undefined) {
				if (at >= unclosed[quote]) unclosed[quote] = endOfLine(text, at);
				at++;
			} else at = end;
		}
	}
}

const special = /\/[/*]|["']/g;

function endOfLine(text: string, at: number): number {
	const end = text.indexOf("\n", at);
	return end < 0 ? text.length : end;
}

/** Offset after the closing quote; undefined when the line ends before it. */
function closing(text: string, start: number, quote: string): number | undefined {
	for (let i = start + 1; i < text.length; i++) {
		const character = text[i];
		if (character === quote) return i + 1;
		if (character === "\n") return undefined;
		// A spliced line continues.
		if (character === "\\") i++;
	}
	return undefined;
}
