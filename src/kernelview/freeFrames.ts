import { hex } from "../common/bytes.ts";
import type { FrameLetter } from "../protocol/kernelModel.ts";
import { type FreeList, freeListsOf } from "./freeLists.ts";
import { type GuestMemory, pageBytes } from "./guestMemory.ts";
import type { KernelNames } from "./kernelNames.ts";

/** Each letter's character code: 32,768 of them are counted and joined at every update. */
export const codes = {
	K: 0x4b,
	T: 0x54,
	U: 0x55,
	S: 0x53,
	".": 0x2e,
	L: 0x4c,
	X: 0x58,
	"?": 0x3f,
} as const satisfies Record<FrameLetter, number>;

/** Frames on kalloc's lists. */
export interface FreeFrames {
	/** 1 for each of them. */
	readonly free: Uint8Array;
	/** `.` for each of them, `?` for all others. */
	readonly letters: Uint8Array;
	/** Undefined: there is no such list. */
	readonly count: number | undefined;
	/** A list runs in a circle or leaves RAM; in words. */
	readonly damage: string | undefined;
}

/** Where a link leads that names no frame: the list's end, or nowhere in RAM. */
const end = -1;
const astray = -2;

/**
 * Follows the lists from look to look. Tens of thousands of links lie on as many pages, and all but those at the head are as they were at the
 * last look: what was not written since is neither read nor followed again.
 */
class FreeFrameReader {
	private readonly free: Uint8Array;
	private readonly letters: Uint8Array;
	/** By frame: where its link led when it was last read; and 1 where the page may have been written since. */
	private readonly links: Int32Array;
	private readonly stale: Uint8Array;
	/** Each list's frames, its last one first. Empty after damage. */
	private stacks: number[][] = [];
	/** By frame: 1 + the list that it is on, 0: none; and its place in that list's stack. */
	private readonly owners: Uint8Array;
	private readonly places: Int32Array;
	private count = 0;
	private lists: readonly FreeList[] = [];
	private mark: number | undefined;

	constructor(private readonly memory: GuestMemory) {
		const { frames } = memory;
		this.free = new Uint8Array(frames);
		this.letters = new Uint8Array(frames).fill(codes["?"]);
		this.links = new Int32Array(frames);
		this.stale = new Uint8Array(frames);
		this.owners = new Uint8Array(frames);
		this.places = new Int32Array(frames);
	}

	read(names: KernelNames): FreeFrames {
		const { memory } = this;
		const lists = freeListsOf(memory, names);
		const changed = this.mark === undefined || lists !== this.lists ? undefined : memory.changes?.changed(this.mark);
		let damage: string | undefined;
		if (!changed || !this.follow(lists, changed)) {
			if (!changed) this.stale.fill(1);
			damage = this.walk(lists);
		}
		this.lists = lists;
		this.mark = memory.mark();
		const count = lists.length > 0 ? this.count : undefined;
		return { free: this.free.slice(), letters: this.letters.slice(), count, damage };
	}

	/** From the last look to this one; false: something is not as it should be, and all has to be walked. */
	private follow(lists: readonly FreeList[], changed: readonly number[]): boolean {
		const { stacks, stale, owners, places } = this;
		/** Of each stack, how many frames from the list's end still lead to each other. */
		const intact = stacks.map(({ length }) => length);
		for (const frame of changed) {
			stale[frame] = 1;
			const list = (owners[frame] as number) - 1;
			if (list >= 0) intact[list] = Math.min(intact[list] as number, places[frame] as number);
		}
		if (stacks.length !== lists.length) return false;
		const heads: { readonly kept: number; readonly fresh: readonly number[] }[] = [];
		for (const [list, { head, link }] of lists.entries()) {
			const fresh: number[] = [];
			let frame = this.frameAt(head);
			const isKept = () => owners[frame] === list + 1 && (places[frame] as number) < (intact[list] as number);
			while (frame >= 0 && !isKept() && fresh.length <= stale.length) {
				fresh.push(frame);
				frame = this.next(frame, link);
			}
			if (frame === astray || fresh.length > stale.length) return false;
			heads.push({ kept: frame < 0 ? 0 : (places[frame] as number) + 1, fresh });
		}
		for (const [list, { kept }] of heads.entries()) {
			const stack = stacks[list] as number[];
			while (stack.length > kept) this.set(stack.pop() as number, 0);
		}
		for (const [list, { fresh }] of heads.entries()) {
			for (let i = fresh.length - 1; i >= 0; i--) if (!this.push(list, fresh[i] as number)) return false;
		}
		return true;
	}

	/** All lists from their heads; damage is told in words. */
	private walk(lists: readonly FreeList[]): string | undefined {
		this.free.fill(0);
		this.letters.fill(codes["?"]);
		this.owners.fill(0);
		this.count = 0;
		let damage: string | undefined;
		const walks = lists.map(({ head, link }) => {
			const frames: number[] = [];
			let at = head;
			for (let frame = this.frameAt(head); frame !== end; frame = this.next(frame, link)) {
				if (frame === astray) {
					damage ??= `the free list leads to ${hex(this.memory.u64(at) ?? 0)}, which is no frame`;
					break;
				}
				if (this.free[frame]) {
					damage ??= `the free list holds frame ${frame} twice`;
					break;
				}
				this.set(frame, 1);
				frames.push(frame);
				at = this.memory.addressOf(frame) + link;
			}
			return frames;
		});
		this.stacks = [];
		if (damage === undefined) {
			this.stacks = walks.map(() => []);
			for (const [list, frames] of walks.entries()) for (const frame of frames.reverse()) this.place(list, frame);
		}
		return damage;
	}

	/** False: it is on a list already. */
	private push(list: number, frame: number): boolean {
		if (this.free[frame]) return false;
		this.set(frame, 1);
		this.place(list, frame);
		return true;
	}

	private place(list: number, frame: number): void {
		const stack = this.stacks[list] as number[];
		this.owners[frame] = list + 1;
		this.places[frame] = stack.length;
		stack.push(frame);
	}

	private set(frame: number, free: 0 | 1): void {
		this.free[frame] = free;
		this.letters[frame] = free ? codes["."] : codes["?"];
		this.owners[frame] = 0;
		this.count += free ? 1 : -1;
	}

	private next(frame: number, link: number): number {
		const known = this.links[frame] as number;
		if (this.stale[frame] === 0) return known;
		const { memory } = this;
		const at = memory.addressOf(frame) + link;
		this.stale[frame] = 0;
		// Most are as they were: the processor guesses so, too, and need not wait for one page to look at the next.
		if (known >= 0 && memory.u64(at) === memory.addressOf(known)) return known;
		const next = this.frameAt(at);
		this.links[frame] = next;
		return next;
	}

	/** Which frame the word at an address names. */
	private frameAt(address: number): number {
		const word = this.memory.u64(address) ?? 0;
		if (word === 0) return end;
		const frame = this.memory.frameOf(word);
		return frame < 0 || word % pageBytes !== 0 ? astray : frame;
	}
}

/** With the last answers, and the stamp of the machine then. */
const readers = new WeakMap<
	GuestMemory,
	{ readonly reader: FreeFrameReader; readonly known: [number, FreeFrames][] }
>();
const keptAnswers = 2;

/** Frames on kalloc's lists. A circle or a wild pointer ends a list. */
export function readFreeFrames(memory: GuestMemory, names: KernelNames): FreeFrames {
	const { reader, known } = readers.get(memory) ?? { reader: new FreeFrameReader(memory), known: [] };
	readers.set(memory, { reader, known });
	const stamp = memory.stamp();
	const again = known.findIndex(([then]) => then === stamp);
	const answer: FreeFrames = stamp !== 0 && again >= 0 ? (known[again] as [number, FreeFrames])[1] : reader.read(names);
	if (again >= 0) known.splice(again, 1);
	if (stamp !== 0) known.unshift([stamp, answer]);
	known.splice(keptAnswers);
	return answer;
}

/** Whether the free lists hold at least so many frames; looks no further than these. */
export function hasFreeFrames(memory: GuestMemory, names: KernelNames, wanted: number): boolean {
	let count = 0;
	for (const { head, link } of freeListsOf(memory, names))
		for (let run = memory.u64(head); run && count < wanted; run = memory.u64(run + link)) count++;
	return count >= wanted;
}
