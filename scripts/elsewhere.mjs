// What trees need of a newer machine than they were written for, without a change of the tree: gcc 12 and QEMU 7.2 by other names.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

function program(path, lines) {
	writeFileSync(path, `#!/bin/sh\n${lines}\n`);
	chmodSync(path, 0o755);
	return path;
}

/** A prefix for make's TOOLPREFIX. gcc 12 refuses every xv6 shell before 2022 for infinite recursion in runcmd: only a warning here. */
export function gccPrefix(folder) {
	mkdirSync(folder, { recursive: true });
	const prefix = join(folder, "gcc-");
	for (const tool of ["gcc", "g++", "ld", "objcopy", "as", "ar"]) {
		const extra = tool === "gcc" ? " -Wno-error=infinite-recursion" : "";
		program(`${prefix}${tool}`, `exec riscv64-unknown-elf-${tool} "$@"${extra}`);
	}
	// Listings take as long as the compiler; symbol tables are what grade scripts find their breakpoints in.
	program(`${prefix}objdump`, 'case "$1" in -t) exec riscv64-unknown-elf-objdump "$@";; esac');
	return prefix;
}

/** Whether a kernel lets supervisor mode reach memory; where not, QEMU from 7.0 on hangs at its mret. */
export function setsPmp(tree) {
	const kernel = join(tree, "kernel");
	if (!existsSync(kernel)) return false;
	const sources = readdirSync(kernel, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith("start.c"));
	return sources.some((path) => /^\s*w_pmp(addr|cfg)0\(/m.test(readFileSync(join(kernel, path), "utf8")));
}

/** A QEMU for kernels whose start() sets no PMP entry: QEMU from 7.0 on hangs at their mret. Those of 2019 say no `-bios none`, either. */
export function qemuWithoutPmp(folder) {
	mkdirSync(folder, { recursive: true });
	return program(
		join(folder, "qemu-system-riscv64"),
		'case " $* " in *" -bios "*) ;; *) set -- "$@" -bios none;; esac\nexec /usr/bin/env qemu-system-riscv64 "$@" -cpu rv64,pmp=false',
	);
}

/** A command with somebody behind the addresses that network labs ask for names; as it is where there are no namespaces. */
export function withNameServer(command) {
	const wrapper = ["unshare", "-rn", process.execPath, fileURLToPath(new URL("nameserver.mjs", import.meta.url))];
	const { status } = spawnSync(wrapper[0], [...wrapper.slice(1), "true"]);
	return status === 0 ? [...wrapper, ...command] : command;
}
