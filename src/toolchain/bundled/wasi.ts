// A WASI preview 1 host over an in-memory file tree: enough for clang, lld and a tree's mkfs, the same in Node and browsers.
// Unwanted calls answer ENOSYS. Times and randomness are constants: the same input gives the same output bytes.

import { UserError } from "../../common/errors.ts";
import { inBytes, limits } from "../../common/limits.ts";
import { File, Folder, type Place, walk } from "./memoryFiles.ts";

const E = { success: 0, badf: 8, exist: 20, inval: 28, isdir: 31, noent: 44, nosys: 52, notdir: 54 } as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

class Exit extends Error {
	constructor(readonly code: number) {
		super(`exit ${code}`);
	}
}

interface Descriptor {
	node?: File | Folder;
	out?: (bytes: Uint8Array) => void;
	position: number;
	append: boolean;
}

interface WasiOptions {
	readonly args: readonly string[];
	readonly root: Folder;
	/** Standard output and standard error. */
	readonly output: (bytes: Uint8Array) => void;
	/** How messages name it: `mkfs`, `clang`. */
	readonly name: string;
}

/** A program that wants more than it may have is ended: what it would do next is of no use. */
function overLimit(message: string): UserError {
	return new UserError(
		"limit-reached",
		message,
		"Look for a loop, an array or a macro that is far bigger than you meant.",
	);
}

/** Runs a command module to its end and returns its exit code. A trap of the module is thrown. */
export function runWasi(module: WebAssembly.Module, options: WasiOptions): number {
	const host = new WasiHost(options);
	const imports: Record<string, unknown> = { ...host.calls };
	for (const { name } of WebAssembly.Module.imports(module)) imports[name] ??= () => E.nosys;
	const instance = instantiate(module, imports as WebAssembly.ModuleImports, options.name);
	host.memory = instance.exports.memory as WebAssembly.Memory;
	try {
		(instance.exports._start as () => void)();
		return 0;
	} catch (error) {
		if (error instanceof Exit) return error.code;
		throw error;
	}
}

function instantiate(module: WebAssembly.Module, imports: WebAssembly.ModuleImports, name: string) {
	try {
		return new WebAssembly.Instance(module, { wasi_snapshot_preview1: imports });
	} catch (error) {
		if (!/out of memory/i.test((error as Error).message)) throw error;
		throw new UserError(
			"limit-reached",
			`This machine gives xv6 Lab no memory for ${name}`,
			"Raise the limit of memory (ulimit -v, a container's), or close other programs.",
		);
	}
}

class WasiHost {
	private printed = 0;
	private written = 0;
	private made = 0;
	memory: WebAssembly.Memory | undefined;
	private cachedView: DataView | undefined;
	private cachedBytes = new Uint8Array(0);
	private readonly descriptors: (Descriptor | undefined)[];

	constructor(private readonly options: WasiOptions) {
		const stream = (out?: (bytes: Uint8Array) => void): Descriptor => ({
			position: 0,
			append: false,
			...(out ? { out } : {}),
		});
		const root: Descriptor = { node: options.root, position: 0, append: false };
		this.descriptors = [stream(), stream(options.output), stream(options.output), root];
	}

	/** The module's memory may grow, and its buffer with it. */
	private view(): DataView {
		const buffer = this.memory?.buffer as ArrayBuffer;
		if (this.cachedView?.buffer !== buffer) {
			this.cachedView = new DataView(buffer);
			this.cachedBytes = new Uint8Array(buffer);
		}
		return this.cachedView;
	}

	private text(at: number, length: number): string {
		this.view();
		return decoder.decode(this.cachedBytes.subarray(at, at + length));
	}

	private stat(node: File | Folder | undefined, at: number): number {
		const view = this.view();
		this.cachedBytes.fill(0, at, at + 64);
		view.setBigUint64(at, 1n, true);
		view.setBigUint64(at + 8, node?.inode ?? 0n, true);
		this.cachedBytes[at + 16] = kindOf(node);
		view.setBigUint64(at + 24, 1n, true);
		view.setBigUint64(at + 32, BigInt(node instanceof File ? node.size : 0), true);
		return E.success;
	}

	private vectors(at: number, count: number, each: (pointer: number, length: number) => number): number {
		let total = 0;
		for (let i = 0; i < count; i++) {
			const view = this.view();
			total += each(view.getUint32(at + 8 * i, true), view.getUint32(at + 8 * i + 4, true));
		}
		return total;
	}

	private readInto(file: File, vectors: number, count: number, from: number): number {
		let at = from;
		return this.vectors(vectors, count, (pointer, length) => {
			const bytes = file.read(at, length);
			this.cachedBytes.set(bytes, pointer);
			at += bytes.length;
			return bytes.length;
		});
	}

	/** Before bytes are written: the file, and all files together. */
	private charge(file: File, end: number): void {
		const { name } = this.options;
		if (end > limits.imageBytes) throw overLimit(`${name} writes a file of more than ${inBytes(limits.imageBytes)}`);
		this.written += Math.max(0, end - file.size);
		if (this.written > limits.toolFilesBytes)
			throw overLimit(`${name} writes more than ${inBytes(limits.toolFilesBytes)} of files`);
	}

	private print(out: Descriptor["out"], pointer: number, length: number): void {
		this.printed += length;
		if (this.printed > limits.toolTextBytes)
			throw overLimit(`${this.options.name} prints more than ${inBytes(limits.toolTextBytes)}`);
		out?.(this.cachedBytes.subarray(pointer, pointer + length));
	}

	private make<T extends File | Folder>(node: T): T {
		if (++this.made > limits.mkfsFiles)
			throw overLimit(`${this.options.name} makes more than ${limits.mkfsFiles.toLocaleString("en")} files`);
		return node;
	}

	private place(fd: number, at: number, length: number): Place {
		const folder = this.descriptors[fd]?.node;
		if (!(folder instanceof Folder)) return { parent: undefined, name: "", node: undefined, blocked: true };
		return walk(folder, this.text(at, length));
	}

	private u32(at: number, value: number): number {
		this.view().setUint32(at, value, true);
		return E.success;
	}

	private strings(list: readonly string[]) {
		const encoded = list.map((text) => encoder.encode(`${text}\0`));
		return {
			sizes: (count: number, bytes: number) => {
				this.u32(count, encoded.length);
				return this.u32(
					bytes,
					encoded.reduce((sum, part) => sum + part.length, 0),
				);
			},
			get: (pointers: number, buffer: number) => {
				let at = buffer;
				encoded.forEach((part, i) => {
					this.u32(pointers + 4 * i, at);
					this.cachedBytes.set(part, at);
					at += part.length;
				});
				return E.success;
			},
		};
	}

	get calls() {
		const args = this.strings(this.options.args);
		const environment = this.strings([]);
		return {
			args_get: args.get,
			args_sizes_get: args.sizes,
			environ_get: environment.get,
			environ_sizes_get: environment.sizes,
			clock_time_get: (_id: number, _precision: bigint, at: number) => {
				this.view().setBigUint64(at, 0n, true);
				return E.success;
			},
			random_get: (at: number, length: number) => {
				this.view();
				for (let i = 0; i < length; i++) this.cachedBytes[at + i] = (i * 73 + 41) & 255;
				return E.success;
			},
			proc_exit: (code: number) => {
				throw new Exit(code);
			},
			sched_yield: () => E.success,
			...this.descriptorCalls(),
			...this.pathCalls(),
		};
	}

	private descriptorCalls() {
		const file = (fd: number): File | undefined => {
			const node = this.descriptors[fd]?.node;
			return node instanceof File ? node : undefined;
		};
		return {
			fd_close: (fd: number) => {
				if (!this.descriptors[fd]) return E.badf;
				this.descriptors[fd] = undefined;
				return E.success;
			},
			fd_fdstat_get: (fd: number, at: number) => {
				const descriptor = this.descriptors[fd];
				if (!descriptor) return E.badf;
				const view = this.view();
				this.cachedBytes.fill(0, at, at + 24);
				this.cachedBytes[at] = kindOf(descriptor.node);
				view.setUint16(at + 2, descriptor.append ? 1 : 0, true);
				view.setBigUint64(at + 8, ~0n, true);
				view.setBigUint64(at + 16, ~0n, true);
				return E.success;
			},
			fd_filestat_get: (fd: number, at: number) => {
				const descriptor = this.descriptors[fd];
				return descriptor ? this.stat(descriptor.node, at) : E.badf;
			},
			fd_filestat_set_size: (fd: number, size: bigint) => {
				const node = file(fd);
				if (!node) return E.badf;
				this.charge(node, Number(size));
				node.resize(Number(size));
				return E.success;
			},
			fd_read: (fd: number, vectors: number, count: number, out: number) => {
				const descriptor = this.descriptors[fd];
				if (!descriptor) return E.badf;
				if (!(descriptor.node instanceof File)) return this.u32(out, 0);
				const done = this.readInto(descriptor.node, vectors, count, descriptor.position);
				descriptor.position += done;
				return this.u32(out, done);
			},
			fd_pread: (fd: number, vectors: number, count: number, at: bigint, out: number) => {
				const node = file(fd);
				return node ? this.u32(out, this.readInto(node, vectors, count, Number(at))) : E.badf;
			},
			fd_write: (fd: number, vectors: number, count: number, out: number) => {
				const descriptor = this.descriptors[fd];
				if (!descriptor) return E.badf;
				const total = this.vectors(vectors, count, (pointer, length) => {
					const { node } = descriptor;
					if (node instanceof File) {
						if (descriptor.append) descriptor.position = node.size;
						this.charge(node, descriptor.position + length);
						node.write(descriptor.position, this.cachedBytes, pointer, length);
						descriptor.position += length;
					} else this.print(descriptor.out, pointer, length);
					return length;
				});
				return this.u32(out, total);
			},
			fd_pwrite: (fd: number, vectors: number, count: number, at: bigint, out: number) => {
				const node = file(fd);
				if (!node) return E.badf;
				let position = Number(at);
				const total = this.vectors(vectors, count, (pointer, length) => {
					this.charge(node, position + length);
					node.write(position, this.cachedBytes, pointer, length);
					position += length;
					return length;
				});
				return this.u32(out, total);
			},
			fd_seek: (fd: number, offset: bigint, whence: number, out: number) => {
				const descriptor = this.descriptors[fd];
				const node = file(fd);
				if (!descriptor || !node) return E.inval;
				const position = Number(offset) + (whence === 0 ? 0 : whence === 1 ? descriptor.position : node.size);
				if (position < 0 || position > Number.MAX_SAFE_INTEGER) return E.inval;
				descriptor.position = position;
				this.view().setBigUint64(out, BigInt(descriptor.position), true);
				return E.success;
			},
			/** The root is the only folder that is open from the start. */
			fd_prestat_get: (fd: number, at: number) => {
				if (fd !== 3) return E.badf;
				this.u32(at, 0);
				return this.u32(at + 4, 1);
			},
			fd_prestat_dir_name: (_fd: number, at: number) => {
				this.view();
				this.cachedBytes[at] = 0x2f;
				return E.success;
			},
			fd_readdir: (fd: number, at: number, length: number, cookie: bigint, out: number) => {
				const folder = this.descriptors[fd]?.node;
				if (!(folder instanceof Folder)) return E.notdir;
				return this.u32(out, this.readFolder(folder, at, length, Number(cookie)));
			},
		};
	}

	private readFolder(folder: Folder, at: number, length: number, cookie: number): number {
		const list = [...folder.entries];
		let used = 0;
		this.view();
		for (let i = cookie; i < list.length && used < length; i++) {
			const [entry, node] = list[i] as [string, File | Folder];
			const name = encoder.encode(entry);
			const record = new Uint8Array(24 + name.length);
			const view = new DataView(record.buffer);
			view.setBigUint64(0, BigInt(i + 1), true);
			view.setBigUint64(8, node.inode, true);
			view.setUint32(16, name.length, true);
			record[20] = kindOf(node);
			record.set(name, 24);
			const part = record.subarray(0, length - used);
			this.cachedBytes.set(part, at + used);
			used += part.length;
		}
		return used;
	}

	private pathCalls() {
		return {
			path_open: (
				fd: number,
				_lookup: number,
				at: number,
				length: number,
				flags: number,
				_rights: bigint,
				_inherited: bigint,
				fdFlags: number,
				out: number,
			) => {
				const place = this.place(fd, at, length);
				if (place.blocked) return E.notdir;
				let { node } = place;
				const [create, folderOnly, exclusive, truncate] = [flags & 1, flags & 2, flags & 4, flags & 8];
				if (!node) {
					if (!create || !place.parent) return E.noent;
					node = this.make(new File());
					place.parent.entries.set(place.name, node);
				} else if (exclusive) return E.exist;
				if (folderOnly && !(node instanceof Folder)) return E.notdir;
				if (truncate && node instanceof File) {
					node = new File();
					place.parent?.entries.set(place.name, node);
				}
				let free = 4;
				while (this.descriptors[free]) free++;
				this.descriptors[free] = { node, position: 0, append: (fdFlags & 1) !== 0 };
				return this.u32(out, free);
			},
			path_filestat_get: (fd: number, _flags: number, at: number, length: number, out: number) => {
				const place = this.place(fd, at, length);
				return place.node ? this.stat(place.node, out) : place.blocked ? E.notdir : E.noent;
			},
			path_create_directory: (fd: number, at: number, length: number) => {
				const place = this.place(fd, at, length);
				if (place.node) return E.exist;
				if (!place.parent) return E.noent;
				place.parent.entries.set(place.name, this.make(new Folder()));
				return E.success;
			},
			path_unlink_file: (fd: number, at: number, length: number) => {
				const place = this.place(fd, at, length);
				if (!place.node) return E.noent;
				if (place.node instanceof Folder) return E.isdir;
				place.parent?.entries.delete(place.name);
				return E.success;
			},
			path_remove_directory: (fd: number, at: number, length: number) => {
				const place = this.place(fd, at, length);
				if (!place.node) return E.noent;
				place.parent?.entries.delete(place.name);
				return E.success;
			},
			path_rename: (fd: number, at: number, length: number, toFd: number, toAt: number, toLength: number) => {
				const from = this.place(fd, at, length);
				const to = this.place(toFd, toAt, toLength);
				if (!from.node || !to.parent) return E.noent;
				from.parent?.entries.delete(from.name);
				to.parent.entries.set(to.name, from.node);
				return E.success;
			},
			path_readlink: () => E.inval,
		};
	}
}

function kindOf(node: File | Folder | undefined): number {
	return node instanceof Folder ? 3 : node instanceof File ? 4 : 2;
}
