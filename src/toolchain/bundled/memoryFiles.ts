let nextInode = 1n;

/** A file whose buffer is copied only when it is written. */
export class File {
	readonly inode = nextInode++;
	private buffer: Uint8Array;
	private length: number;
	private shared = true;

	constructor(bytes: Uint8Array = new Uint8Array(0)) {
		this.buffer = bytes;
		this.length = bytes.length;
	}

	get size(): number {
		return this.length;
	}

	get bytes(): Uint8Array {
		return this.buffer.subarray(0, this.length);
	}

	read(at: number, length: number): Uint8Array {
		return this.buffer.subarray(at, Math.min(at + length, this.length));
	}

	resize(size: number): void {
		if (this.shared || size > this.buffer.length) {
			const grown = new Uint8Array(Math.max(size, this.shared ? 0 : 2 * this.buffer.length, 4096));
			grown.set(this.buffer.subarray(0, Math.min(size, this.length)));
			this.buffer = grown;
			this.shared = false;
		} else if (size > this.length) this.buffer.fill(0, this.length, size);
		this.length = size;
	}

	/** LLVM writes its text unbuffered, a few bytes at a time and tens of thousands of times a file: keep this lean. */
	write(at: number, from: Uint8Array, start: number, length: number): void {
		const end = at + length;
		if (this.shared || end > this.length) this.resize(Math.max(end, this.length));
		const to = this.buffer;
		if (length < 64) for (let i = 0; i < length; i++) to[at + i] = from[start + i] as number;
		else to.set(from.subarray(start, start + length), at);
	}
}

export class Folder {
	readonly inode = nextInode++;
	readonly entries = new Map<string, File | Folder>();

	/** Adds a file and the folders on its way; a file in the way is replaced. */
	add(path: string, file: File): void {
		const parts = path.split("/").filter((part) => part !== "" && part !== ".");
		const name = parts.pop();
		if (name === undefined) return;
		let folder: Folder = this;
		for (const part of parts) {
			let next = folder.entries.get(part);
			if (!(next instanceof Folder)) {
				next = new Folder();
				folder.entries.set(part, next);
			}
			folder = next;
		}
		folder.entries.set(name, file);
	}

	find(path: string): File | Folder | undefined {
		return walk(this, path).node;
	}
}

export interface Place {
	readonly parent: Folder | undefined;
	readonly name: string;
	readonly node: File | Folder | undefined;
	/** A file stands where a folder is needed. */
	readonly blocked?: boolean;
}

/** Where a path leads, whether something is there or not. */
export function walk(root: Folder, path: string): Place {
	let place: Place = { parent: undefined, name: "", node: root };
	const above: Folder[] = [];
	for (const part of path.split("/")) {
		if (part === "" || part === ".") continue;
		if (part === "..") {
			place = { parent: undefined, name: "", node: above.pop() ?? root };
			continue;
		}
		const folder = place.node;
		if (!(folder instanceof Folder)) {
			return { parent: undefined, name: part, node: undefined, blocked: folder !== undefined };
		}
		above.push(folder);
		place = { parent: folder, name: part, node: folder.entries.get(part) };
	}
	return place;
}

/** Those of the files that are there. */
export function collect(root: Folder, outputs: readonly string[]): Map<string, Uint8Array> {
	const found = new Map<string, Uint8Array>();
	for (const path of outputs) {
		const node = root.find(path);
		if (node instanceof File) found.set(path, node.bytes);
	}
	return found;
}
