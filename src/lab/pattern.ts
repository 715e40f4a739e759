import { UserError } from "../common/errors.ts";

/**
 * Whether a text has a place that a regular expression matches, as `new RegExp(pattern, "m").test(text)` says it, in time
 * that grows with pattern times text. JavaScript's own engine tries ways one after the other, which some patterns make more
 * than any machine can try; here all ways go forward together (Thompson 1968). A lookahead starts a search of its own, so
 * the work has a limit, too.
 */
export class Pattern {
	private readonly program: Program;

	/** Throws a SyntaxError for what is no regular expression, or one that refers to a group by its name. */
	constructor(private readonly source: string) {
		new RegExp(source, "m");
		this.program = new Compiler(source).compile();
	}

	/** Throws UserError `lab-manifest-invalid` when it takes more work than any sensible pattern. */
	test(text: string): boolean {
		const work = { left: mostSteps + stepsPerCharacter * text.length, source: this.source };
		if (!this.program.some(({ kind }) => kind === "back")) return search(this.program, text, 0, false, work);
		for (let at = 0; at <= text.length; at++) if (tryWays(this.program, text, at, work)) return true;
		return false;
	}
}

/** A second or two of a slow machine; a manifest's pattern over a long console needs a few steps a character. */
const mostSteps = 2_000_000;
const stepsPerCharacter = 100;
/** `(a{1000}){1000}` would be a million instructions. */
const longestProgram = 20_000;

type Instruction =
	| { readonly kind: "character"; readonly fits: (code: number) => boolean }
	| { readonly kind: "split"; readonly to: number; readonly or: number }
	| { readonly kind: "jump"; readonly to: number }
	| { readonly kind: "begin" | "end" | "edge" | "noEdge" | "match" }
	| { readonly kind: "save"; readonly slot: number }
	| { readonly kind: "back"; readonly group: number }
	| { readonly kind: "ahead" | "behind"; readonly program: Program; readonly wanted: boolean };

type Program = readonly Instruction[];
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Work {
	left: number;
	readonly source: string;
}

/** A single character's test: JavaScript's own, which for one character cannot take long. */
function characterTest(atom: string): (code: number) => boolean {
	const pattern = new RegExp(`^(?:${atom})$`);
	const known = new Map<number, boolean>();
	return (code) => {
		let fits = known.get(code);
		if (fits === undefined) {
			fits = pattern.test(String.fromCharCode(code));
			known.set(code, fits);
		}
		return fits;
	};
}

class Compiler {
	private at = 0;
	private program: Instruction[] = [];
	private groups = 0;
	/** Only these need to know where a group was. */
	private readonly refersBack: boolean;

	constructor(private readonly source: string) {
		this.refersBack = /\\[1-9]/.test(source);
	}

	compile(): Program {
		this.alternatives();
		this.emit({ kind: "match" });
		return this.program;
	}

	private emit(instruction: Instruction): number {
		if (this.program.length >= longestProgram) throw new SyntaxError("Its repetitions are too many");
		return this.program.push(instruction) - 1;
	}

	private accept(text: string): boolean {
		if (!this.source.startsWith(text, this.at)) return false;
		this.at += text.length;
		return true;
	}

	/** Ends before `)` or at the end. */
	private alternatives(): void {
		const start = this.program.length;
		this.sequence();
		if (!this.accept("|")) return;
		const first = this.cut(start);
		const split = this.emit({ kind: "split", to: start + 1, or: 0 }) as number;
		this.paste(first, start + 1 - start);
		const jump = this.emit({ kind: "jump", to: 0 });
		this.set(split, { kind: "split", to: split + 1, or: this.program.length });
		this.alternatives();
		this.set(jump, { kind: "jump", to: this.program.length });
	}

	private sequence(): void {
		while (this.at < this.source.length && !/[|)]/.test(this.source[this.at] as string)) {
			const start = this.program.length;
			this.atom();
			this.repeat(start);
		}
	}

	private atom(): void {
		if (this.accept("^")) this.emit({ kind: "begin" });
		else if (this.accept("$")) this.emit({ kind: "end" });
		else if (this.accept("\\b")) this.emit({ kind: "edge" });
		else if (this.accept("\\B")) this.emit({ kind: "noEdge" });
		else if (this.accept("(?=")) this.look("ahead", true);
		else if (this.accept("(?!")) this.look("ahead", false);
		else if (this.accept("(?<=")) this.look("behind", true);
		else if (this.accept("(?<!")) this.look("behind", false);
		else if (this.accept("(?:")) {
			this.alternatives();
			this.accept(")");
		} else if (this.named() || this.accept("(")) {
			const group = ++this.groups;
			if (this.refersBack) this.emit({ kind: "save", slot: 2 * group });
			this.alternatives();
			if (this.refersBack) this.emit({ kind: "save", slot: 2 * group + 1 });
			this.accept(")");
		} else if (/^\\[1-9]$/.test(this.source.slice(this.at, this.at + 2))) {
			this.emit({ kind: "back", group: Number(this.source[this.at + 1]) });
			this.at += 2;
		} else this.emit({ kind: "character", fits: characterTest(this.character()) });
	}

	private named(): boolean {
		const name = /^\(\?<[\w$]+>/.exec(this.source.slice(this.at, this.at + 100))?.[0];
		return name !== undefined && this.accept(name);
	}

	private look(kind: "ahead" | "behind", wanted: boolean): void {
		const outer = this.program;
		this.program = [];
		this.alternatives();
		this.emit({ kind: "match" });
		const { program } = this;
		this.program = outer;
		this.accept(")");
		this.emit({ kind, program, wanted });
	}

	/** The text of a class, an escape or a plain character. */
	private character(): string {
		const from = this.at++;
		const first = this.source[from];
		if (first === "\\") {
			const rest =
				/^(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|c[A-Za-z]|[\s\S])/.exec(this.source.slice(this.at, this.at + 5))?.[0] ??
				"";
			if (rest === "k") throw new SyntaxError("It refers back to a group by its name (\\k)");
			this.at += rest.length;
		} else if (first === "[") {
			for (; this.at < this.source.length && this.source[this.at] !== "]"; this.at++)
				if (this.source[this.at] === "\\") this.at++;
			this.at++;
		} else if (first !== ".") return (first as string).replace(/[{}\]]/, "\\$&");
		return this.source.slice(from, this.at);
	}

	private repeat(start: number): void {
		const counts = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})/.exec(this.source.slice(this.at, this.at + 40));
		if (!counts) return;
		const [all, low, comma, high] = counts;
		this.at += all.length;
		// Whether it takes as much or as little as it can is nothing to whether it matches.
		this.accept("?");
		const least = low !== undefined ? Number(low) : all === "+" ? 1 : 0;
		const most =
			low !== undefined ? (comma === undefined ? least : high ? Number(high) : Infinity) : all === "?" ? 1 : Infinity;
		const body = this.cut(start);
		const copy = () => this.paste(body, this.program.length - start);
		for (let i = 0; i < least; i++) copy();
		if (most === Infinity) {
			const split = this.emit({ kind: "split", to: this.program.length + 1, or: 0 });
			copy();
			this.emit({ kind: "jump", to: split });
			this.set(split, { kind: "split", to: split + 1, or: this.program.length });
			return;
		}
		const splits: number[] = [];
		for (let i = least; i < most; i++) {
			splits.push(this.emit({ kind: "split", to: this.program.length + 1, or: 0 }));
			copy();
		}
		for (const split of splits) this.set(split, { kind: "split", to: split + 1, or: this.program.length });
	}

	private set(at: number, instruction: Instruction): void {
		this.program[at] = instruction;
	}

	private cut(start: number): Instruction[] {
		return this.program.splice(start);
	}

	/** Appends what was cut, its targets moved by so many places. */
	private paste(body: readonly Instruction[], by: number): void {
		for (const instruction of body) {
			const moved: Mutable<Instruction> = { ...instruction };
			if (moved.kind === "split") {
				moved.to += by;
				moved.or += by;
			} else if (moved.kind === "jump") moved.to += by;
			this.emit(moved);
		}
	}
}

/** From `from` on, or only there; the ways that the program may stand at are a set. */
function search(program: Program, text: string, from: number, onlyHere: boolean, work: Work, end?: number): boolean {
	let ways: number[] = [];
	let next: number[] = [];
	const seen = new Int32Array(program.length).fill(-1);
	const open: number[] = [];
	/** Adds a way and all that follow without a character; true when one is at the end. */
	const add = (list: number[], start: number, at: number): boolean => {
		open.push(start);
		for (let pc = open.pop(); pc !== undefined; pc = open.pop()) {
			if (seen[pc] === at) continue;
			seen[pc] = at;
			if (--work.left < 0) throw tooMuch(work.source);
			const instruction = program[pc] as Instruction;
			switch (instruction.kind) {
				case "match":
					if (end !== undefined && at !== end) break;
					open.length = 0;
					return true;
				case "character":
					list.push(pc);
					break;
				case "jump":
					open.push(instruction.to);
					break;
				case "split":
					open.push(instruction.or, instruction.to);
					break;
				default:
					if (holds(instruction, text, at, work)) open.push(pc + 1);
			}
		}
		return false;
	};
	for (let at = from; ; at++) {
		if ((at === from || !onlyHere) && add(ways, 0, at)) return true;
		if (at >= (end ?? text.length) || (onlyHere && ways.length === 0)) return false;
		const code = text.charCodeAt(at);
		for (const pc of ways) {
			const instruction = program[pc] as Instruction;
			if (instruction.kind === "character" && instruction.fits(code) && add(next, pc + 1, at + 1)) return true;
		}
		[ways, next] = [next, ways];
		next.length = 0;
	}
}

/** One way after the other from one place: what a group was decides what follows it. */
function tryWays(program: Program, text: string, from: number, work: Work): boolean {
	const ways: { pc: number; at: number; slots: readonly (number | undefined)[] }[] = [{ pc: 0, at: from, slots: [] }];
	for (let way = ways.pop(); way; way = ways.pop()) {
		let { pc, at, slots } = way;
		for (let alive = true; alive; ) {
			if (--work.left < 0) throw tooMuch(work.source);
			const instruction = program[pc++] as Instruction;
			switch (instruction.kind) {
				case "match":
					return true;
				case "character":
					alive = at < text.length && instruction.fits(text.charCodeAt(at++));
					break;
				case "jump":
					pc = instruction.to;
					break;
				case "split":
					ways.push({ pc: instruction.or, at, slots });
					pc = instruction.to;
					break;
				case "save":
					slots = Object.assign([...slots], { [instruction.slot]: at });
					break;
				case "back": {
					const [begin, end] = [slots[2 * instruction.group], slots[2 * instruction.group + 1]];
					const was = begin === undefined || end === undefined ? "" : text.slice(begin, end);
					alive = text.startsWith(was, at);
					at += was.length;
					break;
				}
				default:
					alive = holds(instruction, text, at, work);
			}
		}
	}
	return false;
}

function holds(
	instruction: Exclude<Instruction, { kind: "match" | "character" | "jump" | "split" }>,
	text: string,
	at: number,
	work: Work,
): boolean {
	switch (instruction.kind) {
		case "begin":
			return at === 0 || isLineEnd(text[at - 1]);
		case "end":
			return at === text.length || isLineEnd(text[at]);
		case "edge":
			return isWord(text[at - 1]) !== isWord(text[at]);
		case "noEdge":
			return isWord(text[at - 1]) === isWord(text[at]);
		case "ahead":
			return search(instruction.program, text, at, true, work) === instruction.wanted;
		case "behind":
			return isBehind(instruction.program, text, at, work) === instruction.wanted;
		default:
			return false;
	}
}

/** Whether the program matches a text that ends here; one without a loop is no longer than its characters. */
function isBehind(program: Program, text: string, at: number, work: Work): boolean {
	const loops = program.some((instruction, pc) => instruction.kind === "jump" && instruction.to <= pc);
	const longest = loops ? at : program.filter(({ kind }) => kind === "character").length;
	for (let from = at; from >= Math.max(0, at - longest); from--)
		if (search(program, text, from, true, work, at)) return true;
	return false;
}

const isLineEnd = (character: string | undefined) => character !== undefined && /[\n\r\u2028\u2029]/.test(character);
const isWord = (character: string | undefined) => character !== undefined && /\w/.test(character);

function tooMuch(source: string): UserError {
	return new UserError(
		"lab-manifest-invalid",
		`The pattern /${source}/ takes too long on this text`,
		"Write it without a lookahead that searches far.",
	);
}
