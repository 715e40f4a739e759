import { hex } from "../common/bytes.ts";
import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { findMember, plain, type StructType, type Type } from "../debuginfo/types.ts";
import type { PanelName } from "../protocol/kernelModel.ts";
import { pathAt } from "./typedMemory.ts";

interface ArrayPlace {
	readonly address: number;
	readonly count: number;
	readonly stride: number;
	readonly element: StructType;
}

interface Variable {
	readonly address: number;
	readonly type: Type | undefined;
}

const defaultStates = ["UNUSED", "USED", "SLEEPING", "RUNNABLE", "RUNNING", "ZOMBIE"];
const memberNames = ["pid", "state", "pagetable", "sz", "name"];
/** Without these a slot says nothing. */
const needed = new Set(["pid", "state", "pagetable"]);
/** An array with more elements than this is damage, or not xv6's. */
const maxElements = 4096;

/**
 * The names of one kernel that the view lives on: read once. What is missing is noted for the panel that needs it; xv6's own
 * layout is never assumed.
 */
export class KernelNames {
	readonly notes = new Map<PanelName, string[]>();
	readonly proc: ArrayPlace | undefined;
	readonly cpus: ArrayPlace | undefined;
	/** Addresses of the heads of what is called `kmem.freelist`: one, or one a hart; see freeLists.ts. */
	readonly freeLists: readonly number[];
	readonly kernelPagetable: number | undefined;
	readonly panicked: number | undefined;
	readonly syscalls: { readonly address: number; readonly count: number } | undefined;
	/** First byte after the kernel image. */
	readonly end: number | undefined;
	readonly etext: number | undefined;
	readonly trampoline: number | undefined;
	/** Boot stacks: the dead part of a stack says nothing about who owns what. */
	readonly stack0: { readonly address: number; readonly size: number } | undefined;
	private readonly stateNames: ReadonlyMap<number, string>;
	private readonly offsets = new Map<string, number | undefined>();
	private readonly variables = new Map<string, Variable | undefined>();
	private readonly structVariables = new Map<string, string | undefined>();

	constructor(readonly symbols: ProgramSymbols) {
		const info = symbols.info;
		if (!info || info.empty)
			this.note("processes", "The kernel has no debug information: only what hardware shows is known");
		const proc = this.structArray("proc");
		if (!proc)
			this.note("processes", "There is no array `proc` of structures in this kernel: what stands here are page tables");
		const missing = proc ? memberNames.filter((name) => this.offsetIn(proc.element, name) === undefined) : [];
		for (const name of missing) this.note("processes", `struct proc has no member \`${name}\``);
		this.proc = missing.some((name) => needed.has(name)) ? undefined : proc;
		if (!this.proc) {
			this.note(
				"address-space",
				"Without `proc`, spaces are those in which a hart was seen in user mode, and their sizes are not known",
			);
			this.note(
				"frames",
				"Without `proc`, frames that nobody has cannot be told from those of a process that never ran",
			);
			this.note("faults", "Without `proc`, a process is known by its page table only");
			this.note("findings", "Without `proc`, nothing is looked for but panics and what becomes of each fault");
		}
		this.cpus = this.structArray("cpus") ?? this.structArray("cpu");
		if (!this.cpus) this.note("processes", "There is no array `cpus`, so what each hart runs is unknown");
		this.freeLists = this.findFreeLists();
		this.kernelPagetable = this.address("kernel_pagetable");
		if (this.kernelPagetable === undefined)
			this.note("address-space", "There is no `kernel_pagetable`: the kernel's space is the one that a hart uses");
		this.panicked = this.address("panicked");
		if (this.panicked === undefined)
			this.note("findings", "There is no variable `panicked`: that the kernel panicked is not seen");
		const table = this.variable("syscalls");
		const tableType = plain(table?.type);
		this.syscalls =
			table && tableType?.kind === "array" ? { address: table.address, count: tableType.count } : undefined;
		if (!this.syscalls) this.note("faults", "There is no array `syscalls`: system calls have numbers instead of names");
		this.end = symbols.symbol("end") ?? symbols.symbol("_end");
		if (this.end === undefined)
			this.note("frames", "There is no symbol `end`: the kernel image is not told from other frames");
		this.etext = symbols.symbol("etext");
		this.trampoline = symbols.symbol("trampoline") ?? symbols.symbol("uservec");
		const stack0 = this.variable("stack0");
		this.stack0 = stack0 && { address: stack0.address, size: stack0.type?.size ?? 0 };
		const state = this.proc && findMember(this.proc.element, "state");
		const stateType = plain(state?.type);
		this.stateNames = stateType?.kind === "enum" ? stateType.values : new Map(defaultStates.entries());
	}

	note(panel: PanelName, text: string): void {
		const list = this.notes.get(panel) ?? [];
		if (!list.includes(text)) list.push(text);
		this.notes.set(panel, list);
	}

	variable(name: string): Variable | undefined {
		if (!this.variables.has(name))
			this.variables.set(
				name,
				this.symbols.attempt(() => this.symbols.info?.variable(name)),
			);
		return this.variables.get(name);
	}

	/** First variable that is a `struct tag` or an array of them, for what each student names as he likes. */
	variableOfStruct(tag: string): string | undefined {
		if (!this.structVariables.has(tag))
			this.structVariables.set(
				tag,
				this.symbols.attempt(() => this.symbols.info?.variablesOfStruct(tag)[0]),
			);
		return this.structVariables.get(tag);
	}

	private address(name: string): number | undefined {
		return this.variable(name)?.address ?? this.symbols.symbol(name);
	}

	private structArray(name: string): ArrayPlace | undefined {
		const variable = this.variable(name);
		const type = plain(variable?.type);
		const element = type?.kind === "array" ? plain(type.element) : undefined;
		if (!variable || type?.kind !== "array" || element?.kind !== "struct") return undefined;
		if (element.size === 0 || type.count === 0 || type.count > maxElements) return undefined;
		return { address: variable.address, count: type.count, stride: element.size, element };
	}

	private findFreeLists(): number[] {
		const kmem = this.variable("kmem");
		const type = plain(kmem?.type);
		if (!kmem || !type) return [];
		const array = type.kind === "array" ? type : undefined;
		const element = array ? plain(array.element) : type;
		if (element?.kind !== "struct") return [];
		const offset = findMember(element, "freelist")?.offset;
		if (offset === undefined) return [];
		const count = Math.min(array?.count ?? 1, 64);
		return Array.from({ length: count }, (_, i) => kmem.address + i * element.size + offset);
	}

	/** Offset of a member of struct proc or cpu; a dotted name goes inwards. */
	offsetIn(type: StructType, path: string): number | undefined {
		const key = `${type.name}.${path}`;
		if (!this.offsets.has(key)) {
			let offset = 0;
			let current: StructType | undefined = type;
			for (const part of path.split(".")) {
				const member: ReturnType<typeof findMember> = current && findMember(current, part);
				const inner = plain(member?.type);
				offset = member ? offset + member.offset : Number.NaN;
				current = inner?.kind === "struct" || inner?.kind === "union" ? inner : undefined;
			}
			this.offsets.set(key, Number.isNaN(offset) ? undefined : offset);
		}
		return this.offsets.get(key);
	}

	stateName(value: number): string {
		return this.stateNames.get(value) ?? `state ${value}`;
	}

	/** `ticks`, `proc[1]`, `cons.r`: what lies at an address of the kernel image. */
	describe(address: number): string | undefined {
		const symbol = this.symbols.symbolAt(address);
		if (!symbol) return undefined;
		const variable = this.variable(symbol.name);
		if (!variable) return symbol.offset === 0 ? symbol.name : `${symbol.name}+${hex(symbol.offset)}`;
		return symbol.name + pathAt(variable.type, address - variable.address).replace(/\[(\d+)\]$/, "[$1]");
	}
}
