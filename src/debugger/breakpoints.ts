import type { Disposable } from "../common/disposable.ts";
import { sameFile } from "../debuginfo/lineIndex.ts";
import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import type { Hart, MachineSurface, WatchedAccess } from "../machine/types.ts";
import type { Contexts } from "./contexts.ts";
import type { Expression } from "./cSyntax.ts";
import { evaluateCondition, evaluateExpression, parse, type Scope } from "./expression.ts";
import { stackOf } from "./stack.ts";
import { format } from "./values.ts";

/** What a person may add to a breakpoint. */
interface Extras {
	readonly condition?: string | undefined;
	/** `5`, `>= 5`, `% 3`. */
	readonly hitCondition?: string | undefined;
	/** Text with `{expression}`: printed, and the run continues. */
	readonly logMessage?: string | undefined;
}

export interface Place {
	readonly symbols: ProgramSymbols;
	readonly address: bigint;
	/** Code of a user program: counts only in processes that run it. */
	readonly user: boolean;
}

type BreakpointKind = "line" | "function" | "instruction" | "data" | "exception";

export interface Breakpoint {
	readonly id: number;
	readonly kind: BreakpointKind;
	readonly verified: boolean;
	/** Why it is not verified, or where it went. */
	readonly message?: string;
	readonly line?: number;
	readonly address?: bigint;
}

interface Armed extends Breakpoint {
	readonly extras: Extras;
	readonly places: readonly Place[];
	armed: readonly Disposable[];
	hits: number;
}

/** A place in data that is watched. */
export interface DataPlace {
	readonly address: bigint;
	readonly length: number;
	readonly access: "read" | "write" | "any";
	/** Root of the virtual space; undefined with `physical`. */
	readonly root?: bigint | undefined;
	readonly physical: boolean;
	readonly what: string;
}

const hitPattern = /^(==|>=|<=|>|<|%)?\s*(\d{1,9})$/;

function hitTest(text: string | undefined): ((hits: number) => boolean) | undefined | "wrong" {
	if (text === undefined || text.trim() === "") return undefined;
	const match = hitPattern.exec(text.trim());
	if (!match) return "wrong";
	const n = Number(match[2]);
	switch (match[1]) {
		case ">=":
		case undefined:
			return (hits) => hits >= n;
		case "==":
			return (hits) => hits === n;
		case "<=":
			return (hits) => hits <= n;
		case ">":
			return (hits) => hits > n;
		case "<":
			return (hits) => hits < n;
		default:
			return (hits) => n > 0 && hits % n === 0;
	}
}

interface BreakpointListener {
	/** A log point's line. */
	log(text: string, breakpoint: Breakpoint): void;
}

/**
 * Breakpoints by source, function, instruction and data. They are armed in the machine as long as they exist; what they ask beyond the pc
 * (whose program runs, the condition) is asked in its filter.
 */
export class Breakpoints {
	private nextId = 1;
	private readonly bySource = new Map<string, Armed[]>();
	private functions: Armed[] = [];
	private instructions: Armed[] = [];
	private data: Armed[] = [];
	/** A search in history asks the same question again: nothing is counted or printed then. */
	searching = false;
	/** They are passed as if they were not there. */
	muted = false;
	/** The breakpoint that stopped the machine last. */
	lastHit: Breakpoint | undefined;
	private readonly parsed = new WeakMap<object, Map<string, Expression>>();

	constructor(
		private readonly machine: MachineSurface,
		private readonly contexts: Contexts,
		private readonly listener: BreakpointListener,
	) {}

	dispose(): void {
		for (const list of [...this.bySource.values(), this.functions, this.instructions, this.data]) disarm(list);
		this.bySource.clear();
		this.functions = [];
		this.instructions = [];
		this.data = [];
	}

	/** Every instruction where a breakpoint is armed. */
	hasCodeAt(pc: bigint): boolean {
		return [...this.bySource.values(), this.functions, this.instructions].some((list) =>
			list.some(({ places }) => places.some((place) => this.runsAt(place).includes(pc))),
		);
	}

	setLines(file: string, wanted: readonly (Extras & { readonly line: number })[]): Breakpoint[] {
		disarm(this.bySource.get(file) ?? []);
		const made = wanted.map(({ line, ...extras }) => {
			const found = this.placesOfLine(file, line);
			if (!found)
				return this.arm("line", [], extras, {
					line,
					message: `No code of the kernel or of a user program is in ${file} at or after line ${line}`,
				});
			return this.arm("line", found.places, extras, { line: found.line });
		});
		this.bySource.set(file, made);
		return made;
	}

	setFunctions(wanted: readonly (Extras & { readonly name: string })[]): Breakpoint[] {
		disarm(this.functions);
		this.functions = wanted.map(({ name, ...extras }) => {
			const places = this.placesOfFunction(name);
			const message =
				places.length > 0 ? {} : { message: `There is no function \`${name}\` in the kernel or a user program` };
			return this.arm("function", places, extras, message);
		});
		return this.functions;
	}

	setInstructions(wanted: readonly (Extras & { readonly address: bigint })[]): Breakpoint[] {
		disarm(this.instructions);
		this.instructions = wanted.map(({ address, ...extras }) => {
			// The kernel's image lies where no program's does.
			const user = address < this.machine.memory.base;
			return this.arm("instruction", [{ symbols: this.contexts.kernel, address, user }], extras, { address }, true);
		});
		return this.instructions;
	}

	setData(
		wanted: readonly (Extras & { readonly place: DataPlace | undefined; readonly message?: string })[],
	): Breakpoint[] {
		disarm(this.data);
		this.data = wanted.map(({ place, message, ...extras }) => this.armData(place, message, extras));
		return this.data;
	}

	// ---- places ----------------------------------------------------------------------------------------------------

	/** Programs that have code of a file: the kernel, the program that the file is named after, else every one that contains it. */
	programsOf(file: string): ProgramSymbols[] {
		const { contexts } = this;
		const has = (symbols: ProgramSymbols | undefined) =>
			symbols?.attempt(() => [...(symbols.info?.lines.files ?? [])].some((name) => sameFile(name, file))) === true;
		if (has(contexts.kernel)) return [contexts.kernel];
		const base = /^(?:.*[/\\])?([^/\\]+)\.[cSs]$/s.exec(file)?.[1];
		const named = base === undefined ? undefined : contexts.program(base);
		if (named && has(named)) return [named];
		return contexts.programNames
			.map((name) => contexts.program(name))
			.filter((symbols): symbols is ProgramSymbols => has(symbols));
	}

	/** The line itself, or the next one that has code. */
	placesOfLine(file: string, line: number): { line: number; places: Place[] } | undefined {
		for (let at: number | undefined = line, tries = 0; at !== undefined && tries < 2; tries++) {
			const places: Place[] = [];
			let next: number | undefined;
			for (const symbols of this.programsOf(file)) {
				const { info } = symbols;
				if (!info) continue;
				const wanted: number = at;
				const addresses = symbols.attempt(() => info.lines.breakpointsOf(file, wanted)) ?? [];
				for (const address of addresses)
					places.push({ symbols, address: BigInt(address), user: symbols !== this.contexts.kernel });
				const following = symbols.attempt(() => info.lines.nextLineWithCode(file, wanted));
				if (following !== undefined && (next === undefined || following < next)) next = following;
			}
			if (places.length > 0) return { line: at, places };
			at = next;
		}
		return undefined;
	}

	/** In the kernel and every program; `name@program` says which, as `main@prodcons1`. */
	placesOfFunction(text: string): Place[] {
		const [name = "", only] = text.trim().split("@");
		const { contexts } = this;
		const programs: ProgramSymbols[] = [];
		if (only === undefined || only === "kernel") programs.push(contexts.kernel);
		if (only !== "kernel")
			for (const each of only === undefined ? contexts.programNames : [only]) {
				const program = contexts.program(each);
				if (program) programs.push(program);
			}
		const places: Place[] = [];
		for (const symbols of programs) {
			const addresses = symbols.attempt(() => symbols.info?.functionPlaces(name)) ?? [];
			const symbol = addresses.length > 0 ? undefined : symbols.symbol(name);
			for (const address of symbol === undefined ? addresses : [symbol])
				places.push({ symbols, address: BigInt(address), user: symbols !== contexts.kernel });
		}
		return places;
	}

	/** Addresses at which code runs: the trampoline's at the top of every space, too. */
	private runsAt(place: Place): bigint[] {
		const high = place.user ? undefined : this.contexts.unlink(place.address);
		return high === undefined ? [place.address] : [place.address, high];
	}

	// ---- arming ----------------------------------------------------------------------------------------------------

	private arm(
		kind: BreakpointKind,
		places: readonly Place[],
		extras: Extras,
		more: { line?: number; message?: string; address?: bigint },
		anyProgram = false,
	): Armed {
		const hit = hitTest(extras.hitCondition);
		const wrong =
			hit === "wrong" ? `\`${extras.hitCondition}\` is no hit count: write a number, or >= 5, % 3` : undefined;
		const breakpoint: Armed = {
			id: this.nextId++,
			kind,
			verified: places.length > 0 && wrong === undefined,
			...more,
			...(wrong ? { message: wrong } : {}),
			extras,
			places,
			armed: [],
			hits: 0,
		};
		if (!breakpoint.verified) return breakpoint;
		breakpoint.armed = places.flatMap((place) =>
			this.runsAt(place).map((pc) =>
				this.machine.addBreakpoint(pc, {
					when: (hart) =>
						(anyProgram || this.isIn(place, hart)) && this.counts(breakpoint, hart, hit as ReturnType<typeof hitTest>),
				}),
			),
		);
		return breakpoint;
	}

	/** The hart runs the place's program. */
	isIn(place: Place, hart: Hart): boolean {
		if (!place.user) return hart.mode !== 0;
		if (hart.mode !== 0) return false;
		const thread = this.contexts.threadOn(hart.id);
		const registers = this.contexts.registers(thread);
		return registers?.symbols === place.symbols;
	}

	private scopeOf(hart: Hart): Scope | undefined {
		const [frame] = stackOf(this.contexts, this.contexts.threadOn(hart.id), 1);
		return frame && { contexts: this.contexts, frame };
	}

	/** Condition, then hit count, then log message. */
	private counts(breakpoint: Armed, hart: Hart, hit: ReturnType<typeof hitTest>): boolean {
		if (this.muted) return false;
		const { condition, logMessage } = breakpoint.extras;
		const scope = condition || logMessage ? this.scopeOf(hart) : undefined;
		if (condition && scope && this.test(breakpoint, condition, scope) === false) return false;
		if (this.searching) {
			if (logMessage) return false;
			this.lastHit = breakpoint;
			return true;
		}
		breakpoint.hits++;
		if (typeof hit === "function" && !hit(breakpoint.hits)) return false;
		if (logMessage) {
			this.listener.log(scope ? this.interpolate(logMessage, scope) : logMessage, breakpoint);
			return false;
		}
		this.lastHit = breakpoint;
		return true;
	}

	/** A condition that cannot be evaluated stops, so that it is seen. */
	private test(breakpoint: Armed, text: string, scope: Scope): boolean {
		try {
			let known = this.parsed.get(breakpoint);
			if (!known) {
				known = new Map();
				this.parsed.set(breakpoint, known);
			}
			let expression = known.get(text);
			if (!expression) {
				expression = parse(scope, text);
				known.set(text, expression);
			}
			return evaluateCondition(scope, expression) !== false;
		} catch (error) {
			if (!this.searching)
				this.listener.log(`The condition \`${text}\` cannot be evaluated: ${(error as Error).message}`, breakpoint);
			return true;
		}
	}

	private interpolate(text: string, scope: Scope): string {
		return text.replace(/\{([^{}]+)\}/g, (whole, inner: string) => {
			try {
				return format(this.contexts, evaluateExpression(scope, inner));
			} catch (error) {
				return `{${(error as Error).message}}` || whole;
			}
		});
	}

	private armData(place: DataPlace | undefined, message: string | undefined, extras: Extras): Armed {
		const hit = hitTest(extras.hitCondition);
		const wrong = hit === "wrong" ? `\`${extras.hitCondition}\` is no hit count` : message;
		const base = { id: this.nextId++, kind: "data" as const, extras, hits: 0, places: [], armed: [] };
		if (!place || wrong) return { ...base, verified: false, message: wrong ?? "There is nothing to watch" };
		const breakpoint: Armed = { ...base, verified: true, address: place.address };
		const when = ({ hart }: WatchedAccess) => {
			// A device has no registers to ask about.
			if (!hart && this.muted) return false;
			if (!hart) {
				this.lastHit = breakpoint;
				return true;
			}
			return this.counts(breakpoint, hart, hit as ReturnType<typeof hitTest>);
		};
		const filter = place.physical
			? { physical: true, when }
			: { ...(place.root === undefined ? {} : { space: place.root }), when };
		breakpoint.armed = [this.machine.addWatchpoint(place.address, place.length, place.access, filter)];
		return breakpoint;
	}
}

function disarm(list: readonly Armed[]): void {
	for (const { armed } of list) for (const one of armed) one.dispose();
}
