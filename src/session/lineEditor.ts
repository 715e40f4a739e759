import { utf8 } from "../common/bytes.ts";
import { cells, clusters } from "../common/cells.ts";
import { startOfTail } from "../common/tail.ts";

/** What Tab may complete at the shell's prompt. */
export interface ShellNames {
	/** What can stand first in a command. */
	readonly programs: readonly string[];
	/** Names in the root directory. */
	readonly files: readonly string[];
}

interface LineEditorHost {
	/** Bytes for the guest's UART. */
	send(bytes: Uint8Array): void;
	/** Text for the terminal, after everything before. */
	draw(text: string): void;
	names(): ShellNames;
}

const prompt = "$ ";
const keepLines = 500;
/** Names that one Tab lists at most. */
const mostListed = 200;

/** A run of printable text, an escape sequence, or one control character. */
const tokens = /[^\x00-\x1f\x7f-\x9f]+|\x1b\[[0-9;]*[@-~]|\x1bO[A-Z]|\x1b[a-z\x7f]?|[\s\S]/g;

type Edit = (editor: LineEditor) => void;

const edits: Readonly<Record<string, Edit>> = {
	"\u001b[A": (e) => e.recall(-1),
	"\u001bOA": (e) => e.recall(-1),
	"\u001b[B": (e) => e.recall(1),
	"\u001bOB": (e) => e.recall(1),
	"\u001b[C": (e) => e.move(e.at + 1),
	"\u001bOC": (e) => e.move(e.at + 1),
	"\u001b[D": (e) => e.move(e.at - 1),
	"\u001bOD": (e) => e.move(e.at - 1),
	"\u001b[H": (e) => e.move(0),
	"\u001bOH": (e) => e.move(0),
	"\u001b[1~": (e) => e.move(0),
	"\u0001": (e) => e.move(0),
	"\u001b[F": (e) => e.move(e.length),
	"\u001bOF": (e) => e.move(e.length),
	"\u001b[4~": (e) => e.move(e.length),
	"\u0005": (e) => e.move(e.length),
	// Ctrl and Alt with an arrow: by words.
	"\u001b[1;5D": (e) => e.move(e.wordStart),
	"\u001b[1;3D": (e) => e.move(e.wordStart),
	"\u001bb": (e) => e.move(e.wordStart),
	"\u001b[1;5C": (e) => e.move(e.wordEnd),
	"\u001b[1;3C": (e) => e.move(e.wordEnd),
	"\u001bf": (e) => e.move(e.wordEnd),
	"\u007f": (e) => e.cut(e.at - 1, e.at),
	"\b": (e) => e.cut(e.at - 1, e.at),
	"\u001b[3~": (e) => e.cut(e.at, e.at + 1),
	"\u0015": (e) => e.cut(0, e.at),
	"\u000b": (e) => e.cut(e.at, e.length),
	"\u0017": (e) => e.cut(e.wordStart, e.at),
	"\u001b\u007f": (e) => e.cut(e.wordStart, e.at),
};

/**
 * A line of the xv6 shell, edited on our side while the guest waits at its prompt; anywhere else bytes pass untouched.
 *
 * Nothing of a line reaches the guest before Enter. The guest echoes what it gets, so our drawing of the line is taken off the screen
 * in the same write that shows the first of that echo: the screen then holds what the guest printed and nothing else. Handing keys over as
 * typed and editing by backspaces would need the guest's own line editing, which differs between trees, and cannot insert.
 *
 * Whatever the editor has no answer to (a key that is the kernel's, like Ctrl-P, or output in the middle of a line) it meets by handing over
 * the line as it is, without a newline, and passing bytes until that line has ended: the guest is then where it would be without us.
 */
export class LineEditor {
	columns = 80;
	private isEnabled = true;
	/** What the guest has printed of the line it is on. */
	private lastLine = "";
	/** Something was sent and nothing came back yet: the prompt on the screen may have been answered. */
	private answered = false;
	/** Of a line that the guest is getting byte by byte, what it has got. */
	private passed = "";
	private line: readonly string[] = [];
	private cursor = 0;
	/** What of ours is on the screen after the prompt. */
	private shown: readonly string[] = [];
	private shownCursor = 0;
	private readonly history: string[] = [];
	/** Place in the history; its length: the line that is new. */
	private place = 0;
	private draft = "";

	constructor(private readonly host: LineEditorHost) {}

	get at(): number {
		return this.cursor;
	}

	get length(): number {
		return this.line.length;
	}

	get text(): string {
		return this.line.join("");
	}

	/** Keys go to the line, not to the guest. */
	get isEditing(): boolean {
		return this.isEnabled && !this.answered && this.passed === "" && this.lastLine === prompt;
	}

	set enabled(on: boolean) {
		if (!on) this.handOver();
		this.isEnabled = on;
	}

	/** What a person typed or pasted, as the terminal sends it. */
	type(data: string): void {
		let at = 0;
		let touched = false;
		for (const [token] of data.matchAll(tokens)) {
			if (!this.isEditing) break;
			// A tab with text after it was pasted.
			const isTab = token === "\t" && at + 1 === data.length;
			const edit = edits[token];
			if (edit) edit(this);
			else if (isTab) this.complete();
			else if (token === "\r" || token === "\n") this.enter();
			else if (token >= " " && token[0] !== "\u007f" && !isC1(token)) this.insert(token);
			else if (token[0] !== "\u001b") {
				this.handOver();
				break;
			}
			touched = true;
			at += token.length;
		}
		if (touched && this.isEditing) this.host.draw(this.paint());
		if (at < data.length) this.pass(data.slice(at));
	}

	/** The guest's output with our drawing out of its way; `lastLine`: what it has printed of its line after that. */
	output(text: string, lastLine: string): string {
		if (text === "") return "";
		const erased = this.erase();
		this.lastLine = lastLine;
		this.answered = false;
		if (this.line.length === 0) return erased + text;
		if (lastLine === prompt) return erased + text + this.paint();
		this.handOver();
		return erased + text;
	}

	/** Text of ours that leaves the guest's last line as it is. */
	around(text: string): string {
		return this.erase() + text + this.paint();
	}

	/** Another machine: the history stays. */
	reset(): void {
		this.host.draw(this.erase());
		this.lastLine = "";
		this.answered = false;
		this.passed = "";
		this.clear();
	}

	// ---- what keys do -------------------------------------------------------------------------------------------------

	move(to: number): void {
		this.cursor = Math.max(0, Math.min(to, this.line.length));
	}

	cut(from: number, to: number): void {
		const start = Math.max(0, from);
		this.line = [...this.line.slice(0, start), ...this.line.slice(to)];
		this.move(start);
	}

	recall(step: 1 | -1): void {
		const next = this.place + step;
		if (next < 0 || next > this.history.length) return;
		if (this.place === this.history.length) this.draft = this.text;
		this.place = next;
		this.set(this.history[next] ?? this.draft);
	}

	get wordStart(): number {
		let at = this.cursor;
		while (at > 0 && this.line[at - 1] === " ") at--;
		while (at > 0 && this.line[at - 1] !== " ") at--;
		return at;
	}

	get wordEnd(): number {
		let at = this.cursor;
		while (at < this.line.length && this.line[at] === " ") at++;
		while (at < this.line.length && this.line[at] !== " ") at++;
		return at;
	}

	private insert(text: string): void {
		const before = this.line.slice(0, this.cursor).join("") + text;
		// A mark that is typed alone belongs to the character before it.
		this.line = clusters(before + this.line.slice(this.cursor).join(""));
		this.move(clusters(before).length);
	}

	private set(text: string): void {
		this.line = clusters(text);
		this.cursor = this.line.length;
	}

	private enter(): void {
		const { text } = this;
		// What is drawn stays until the echo takes its place.
		if (this.shown.join("") !== text) this.host.draw(this.paint());
		if (text.trim() !== "" && text !== this.history.at(-1)) this.history.push(text);
		if (this.history.length > keepLines) this.history.shift();
		this.clear();
		this.pass(`${text}\n`);
	}

	private complete(): void {
		const before = this.line.slice(0, this.cursor).join("");
		const { start, word, isCommand } = wordAt(before);
		const { programs, files } = this.host.names();
		const names = isCommand ? [...programs, "cd"] : [...files, ...madeBy(this.history)];
		const found = [...new Set(names)].filter((name) => name.startsWith(word)).sort();
		const [first] = found;
		if (first === undefined) return;
		const common = found.reduce(commonStart);
		if (found.length === 1) this.insert(`${first.slice(word.length)} `);
		else if (common.length > before.length - start) this.insert(common.slice(word.length));
		else this.list(found);
	}

	/** Below the line, which then stands again at a prompt of its own. */
	private list(names: readonly string[]): void {
		const rows: string[] = [];
		for (const name of names.slice(0, mostListed)) {
			const row = rows.at(-1);
			if (row === undefined || row.length + 2 + name.length >= this.columns) rows.push(name);
			else rows[rows.length - 1] = `${row}  ${name}`;
		}
		if (names.length > mostListed) rows.push("…");
		const { cursor } = this;
		this.move(this.line.length);
		const below = this.paint();
		this.shown = [];
		this.shownCursor = 0;
		this.cursor = cursor;
		this.host.draw([below, ...rows, prompt].join("\r\n"));
	}

	// ---- the guest ----------------------------------------------------------------------------------------------------

	private pass(data: string): void {
		for (const character of data) {
			// Ends of a line for xv6: Enter, end of file; and a line that is given up.
			if ("\r\n\u0003\u0004\u0015".includes(character)) this.passed = "";
			else if (character === "\u007f" || character === "\b") this.passed = this.passed.slice(0, -1);
			// Ctrl-P prints the processes and is no part of a line.
			else if (character !== "\u0010") this.passed += character;
		}
		this.answered = true;
		this.host.send(utf8(data));
	}

	private handOver(): void {
		const { text } = this;
		this.clear();
		if (text !== "") this.pass(text);
	}

	private clear(): void {
		this.line = [];
		this.cursor = 0;
		this.place = this.history.length;
		this.draft = "";
	}

	// ---- the screen ---------------------------------------------------------------------------------------------------

	private erase(): string {
		if (this.shown.length === 0) return "";
		const back = moved(this.where(this.shown, this.shownCursor), this.where(this.shown, 0));
		this.shown = [];
		this.shownCursor = 0;
		return `${back}\u001b[J`;
	}

	/** From what is shown to what the line is, from the first difference on. */
	private paint(): string {
		const { line, shown } = this;
		let same = 0;
		while (same < line.length && same < shown.length && line[same] === shown[same]) same++;
		let at = this.where(shown, this.shownCursor);
		let text = "";
		if (same < line.length || same < shown.length) {
			const from = this.where(line, same);
			text = moved(at, from) + (same < shown.length ? "\u001b[J" : "") + line.slice(same).join("");
			at = this.where(line, line.length);
			// A terminal wraps with the character after the last column: one that is not seen makes the cursor stand where we count it.
			if (same < line.length && at.column === 0) text += " \r";
		}
		text += moved(at, this.where(line, this.cursor));
		this.shown = line;
		this.shownCursor = this.cursor;
		return text;
	}

	/** Place of the cursor before the character with this index, in rows below the prompt's. */
	private where(line: readonly string[], index: number): Place {
		let row = 0;
		let column = prompt.length;
		for (let i = 0; i < index; i++) {
			const width = cells(line[i] ?? "");
			if (column + width > this.columns) {
				row++;
				column = 0;
			}
			column += width;
		}
		return column >= this.columns ? { row: row + 1, column: 0 } : { row, column };
	}
}

interface Place {
	readonly row: number;
	readonly column: number;
}

function moved(from: Place, to: Place): string {
	if (from.row === to.row && from.column === to.column) return "";
	const rows = to.row - from.row;
	const vertical = rows === 0 ? "" : `\u001b[${Math.abs(rows)}${rows < 0 ? "A" : "B"}`;
	return `${vertical}\u001b[${to.column + 1}G`;
}

function isC1(token: string): boolean {
	const code = token.charCodeAt(0);
	return code >= 0x80 && code < 0xa0;
}

/** The word that ends here, and whether the shell would run it. Names of deeper directories are not known. */
function wordAt(before: string): { readonly start: number; readonly word: string; readonly isCommand: boolean } {
	const start = startOfTail(before, /[^\s|;&<>()]/);
	const word = before.slice(start);
	const isCommand = /(?:^|[|;&(])\s*$/.test(before.slice(0, start));
	return { start, word, isCommand };
}

/** Files that the lines typed here have made. */
function madeBy(lines: readonly string[]): string[] {
	return lines.flatMap((line) =>
		[...line.matchAll(/(?:>\s*|\bmkdir\s+)([^\s|;&<>()]+)/g)].map(([, name = ""]) => name),
	);
}

function commonStart(a: string, b: string): string {
	let end = 0;
	while (end < a.length && a[end] === b[end]) end++;
	return a.slice(0, end);
}
