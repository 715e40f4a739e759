/**
 * C (or assembly that is preprocessed) without its comments; what is between quotes stays. `places` puts blanks and line
 * feeds in a comment's place, so that lines and columns keep their numbers; `words` one blank; `lines` blanks, and vertical
 * tabs for line feeds, since a comment does not end a line (C17 5.1.1.2).
 */
export function withoutComments(text: string, keep: "places" | "words" | "lines"): string {
	let out = "";
	let from = 0;
	for (const { start, end, isComment } of parts(text)) {
		if (!isComment) continue;
		const blank = keep === "words" ? " " : blanks(text.slice(start, end));
		out += text.slice(from, start) + (keep === "lines" ? blank.replaceAll("\n", "\v") : blank);
		from = end;
	}
	return out + text.slice(from);
}

/** The same text with comments, strings and characters as blanks: lines and columns stay. */
export function codeOnly(text: string): string {
	let out = "";
	let from = 0;
	for (const { start, end } of parts(text)) {
		out += text.slice(from, start) + blanks(text.slice(start, end));
		from = end;
	}
	return out + text.slice(from);
}

const blanks = (text: string) => text.replace(/[^\n]/g, " ");

interface Part {
	readonly start: number;
	readonly end: number;
	/** Else it is a string or a character. */
	readonly isComment: boolean;
}

/** Comments and literals in their order; one that is not closed is none. Linear in the text, whatever is in it. */
function* parts(text: string): Generator<Part> {
	/** End of the line in which a quote was found that is not closed: later ones of its kind are not tried. */
	const unclosed = { '"': -1, "'": -1 };
	let noMoreEnds = false;
	for (let start = next(text, 0); start >= 0; ) {
		let end: number | undefined;
		const isComment = text[start] === "/";
		if (isComment && text[start + 1] === "/") end = endOfLine(text, start);
		else if (isComment) {
			const close: number = noMoreEnds ? -1 : text.indexOf("*/", start + 2);
			noMoreEnds = close < 0;
			if (close >= 0) end = close + 2;
		} else {
			const quote = text[start] as '"' | "'";
			if (start >= unclosed[quote]) {
				end = closing(text, start, quote);
				if (end === undefined) unclosed[quote] = endOfLine(text, start);
			}
		}
		if (end !== undefined) yield { start, end, isComment };
		start = next(text, end ?? start + (isComment ? 2 : 1));
	}
}

const special = /\/[/*]|["']/g;

function next(text: string, from: number): number {
	special.lastIndex = from;
	return special.exec(text)?.index ?? -1;
}

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
