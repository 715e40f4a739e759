import { type Disposable, toDisposable } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import * as layout from "./core/layout.ts";
import type { CoreExports, CoreImports } from "./coreAbi.ts";
import type { Hart, Hook, PointFilter, WatchedAccess, WatchFilter } from "./types.ts";

type Callbacks = Pick<CoreImports["env"], "onBreakpoint" | "onWatchpoint">;

const noWatch: WatchFilter & { readonly purpose?: Purpose; readonly range?: WatchedRange } = {};

/** History's own search, or everybody else. */
type Purpose = "own" | "others";

export interface WatchedRange {
	readonly address: bigint;
	/** In bytes, at least 1. */
	readonly length: number;
	readonly physical: boolean;
	/** Not only stores count. */
	readonly reads: boolean;
}

/** Where others' points are. */
export interface PointPlaces {
	/** Virtual addresses of code. */
	readonly code: readonly bigint[];
	readonly watched: readonly WatchedRange[];
}

interface Host {
	readonly view: DataView;
	core(): CoreExports;
	hart(id: number): Hart;
	/** Physical address of the root page table in use. */
	spaceOf(hart: number): bigint | undefined;
}

/** Breakpoints and watchpoints, with what the core leaves to the host: whether a hit stops. */
export class Points {
	private readonly breakpoints = new Map<bigint, Set<PointFilter>>();
	private readonly watchpoints = new Map<
		number,
		WatchFilter & { readonly purpose: Purpose; readonly range: WatchedRange }
	>();
	/** Hooks are breakpoints after which the host continues by itself. */
	private readonly hooks = new Map<PointFilter, Hook>();
	private due: Hook | undefined;
	private nextId = 1;
	/** Points that were added for this purpose count; undefined: none do. */
	active: Purpose | undefined = "others";

	constructor(private readonly host: Host) {}

	/** What the core calls. */
	readonly callbacks: Callbacks = {
		onBreakpoint: (id) => {
			const filters = this.breakpoints.get(this.host.view.getBigUint64(layout.T_STOP_PC, true));
			if (this.active !== "others") return 0;
			this.due = undefined;
			let met = 0;
			for (const filter of filters ?? []) {
				if (!this.passes(id, filter) || !stops(filter, this.host.hart(id))) continue;
				met = 1;
				this.due ??= this.hooks.get(filter);
			}
			return met;
		},
		onWatchpoint: (id) => {
			const { purpose, range, ...filter } = this.watchpoints.get(id) ?? noWatch;
			if (purpose === undefined || purpose !== this.active) return 0;
			const access = this.access();
			const { hart } = access;
			if (hart ? !this.passes(hart.id, filter) : filter.space !== undefined || filter.mode !== undefined) return 0;
			return filter.when === undefined || filter.when(access) ? 1 : 0;
		},
	};

	/** The access that the core met last. */
	access(): WatchedAccess {
		const { view } = this.host;
		const hart = view.getUint32(layout.T_STOP_HART, true);
		const bits = view.getUint32(layout.T_STOP_ACCESS, true);
		return {
			hart: hart === layout.STOP_DEVICE ? undefined : this.host.hart(hart),
			pc: view.getBigUint64(layout.T_STOP_PC, true),
			address: view.getBigUint64(layout.T_STOP_ADDRESS, true),
			access: bits & (layout.WATCH_READ | layout.WATCH_PHYSICAL_READ) ? "read" : "write",
		};
	}

	addBreakpoint(pc: bigint, filter: PointFilter = {}): Disposable {
		const place = BigInt.asUintN(64, pc);
		const filters = this.breakpoints.get(place);
		if (!filters && !this.host.core().addBreakpoint(BigInt.asIntN(64, place))) {
			throw tableFull("breakpoints", layout.T_BREAKPOINT_MAX);
		}
		const own = this.hooks.has(filter) ? filter : { ...filter };
		if (filters) filters.add(own);
		else this.breakpoints.set(place, new Set([own]));
		return toDisposable(() => {
			const rest = this.breakpoints.get(place);
			if (!rest?.delete(own) || rest.size > 0) return;
			this.breakpoints.delete(place);
			this.host.core().removeBreakpoint(BigInt.asIntN(64, place));
		});
	}

	get places(): PointPlaces {
		const others = [...this.watchpoints.values()].filter(({ purpose }) => purpose === "others");
		return { code: [...this.breakpoints.keys()], watched: others.map(({ range }) => range) };
	}

	addHook(pc: bigint, hook: Hook): Disposable {
		const filter: PointFilter = { when: (hart) => hook.when(hart) };
		this.hooks.set(filter, hook);
		const point = this.addBreakpoint(pc, filter);
		return toDisposable(() => {
			point.dispose();
			this.hooks.delete(filter);
		});
	}

	/** The run stopped at a breakpoint. True: for a hook, which has done its work. */
	act(hart: number): boolean {
		const { due } = this;
		this.due = undefined;
		due?.act(this.host.hart(hart));
		return due !== undefined;
	}

	addWatchpoint(
		address: bigint,
		length: number,
		access: "read" | "write" | "any",
		filter: WatchFilter = {},
		purpose: Purpose = "others",
	): Disposable {
		const [read, write] = filter.physical
			? [layout.WATCH_PHYSICAL_READ, layout.WATCH_PHYSICAL_WRITE]
			: [layout.WATCH_READ, layout.WATCH_WRITE];
		const bits = access === "any" ? read | write : access === "read" ? read : write;
		const [start, end] = [BigInt.asIntN(64, address), BigInt.asIntN(64, address + BigInt(length))];
		const id = this.nextId++;
		if (!this.host.core().addWatchpoint(start, end, bits, id)) {
			throw tableFull("watchpoints", layout.T_WATCHPOINT_MAX);
		}
		const range = { address, length, physical: filter.physical === true, reads: access !== "write" };
		this.watchpoints.set(id, { ...filter, purpose, range });
		return toDisposable(() => {
			if (this.watchpoints.delete(id)) this.host.core().removeWatchpoint(start, end, bits, id);
		});
	}

	private passes(hart: number, { mode, space }: PointFilter | WatchFilter): boolean {
		if (mode !== undefined && this.host.hart(hart).mode !== mode) return false;
		return space === undefined || this.host.spaceOf(hart) === space;
	}
}

function stops(filter: PointFilter, hart: Hart): boolean {
	return filter.when === undefined || filter.when(hart);
}

function tableFull(what: string, most: number): UserError {
	return new UserError("machine-options", `There are ${most} ${what} already`, "Remove one first.");
}
