/** Workspaces that do not build, or that must, each made from the bundled kernel; and what `xv6-lab build` has to say first. */
export interface BuildCase {
	readonly name: string;
	/** File, text that stands in it once, and what takes its place; no text: the file is removed. */
	readonly edits: readonly (readonly [file: string, from: string, to: string])[];
	readonly remove?: string;
	/** These files get the line ends of Windows. */
	readonly crlf?: readonly string[];
	/** Exit code of the build. */
	readonly code: 0 | 5;
	/** First line of what is said; absent: not a word but that it is done. */
	readonly said?: RegExp;
	readonly also?: RegExp;
}

const uprogs = "\t$U/_zombie\\\n";
const struct = "struct stat {";

export const buildCases: readonly BuildCase[] = [
	{
		name: "NULL in stat.h, as gcc's stddef.h spells it",
		edits: [["kernel/stat.h", struct, `#define NULL ((void *)0)\n\n${struct}`]],
		code: 0,
	},
	{
		name: "NULL in stat.h in other words, for mkfs alone to see both",
		edits: [["kernel/stat.h", struct, `#define NULL 0\n\n${struct}`]],
		code: 0,
	},
	{
		name: "line ends of Windows in every kind of file",
		edits: [],
		crlf: ["Makefile", "kernel/entry.S", "kernel/kernel.ld", "kernel/trap.c", "user/user.h", "user/usys.pl"],
		code: 0,
	},
	{
		name: "mkfs.c is missing",
		edits: [],
		remove: "mkfs/mkfs.c",
		code: 5,
		said: /Makefile:\d+: error: mkfs\/mkfs\.c is missing, which mkfs\/mkfs needs/,
	},
	{
		name: "spaces for a tab",
		edits: [
			["Makefile", "\t$(LD) $(LDFLAGS) -T $K/kernel.ld", "        $(LD) $(LDFLAGS) -T $K/kernel.ld"],
			["Makefile", "\t$(LD) $(LDFLAGS) -T $U/user.ld", "        $(LD) $(LDFLAGS) -T $U/user.ld"],
		],
		code: 5,
		said: /Makefile:\d+: error: A line of a recipe must begin with a tab, and this one begins with spaces/,
		also: /Replace the spaces at its beginning by one tab/,
	},
	{
		name: "a program in UPROGS without a source",
		edits: [["Makefile", uprogs, `${uprogs}\t$U/_nofile\\\n`]],
		code: 5,
		said: /Makefile:\d+: error: there is no user\/nofile\.c .*to make user\/_nofile from/,
	},
	{
		name: "headers of the host",
		edits: [["user/echo.c", "// echo [word", "#include <stdio.h>\n#include <stdlib.h>\n// echo [word"]],
		code: 5,
		said: /user\/echo\.c:1:10: error: 'stdio\.h' file not found/,
		also: /there is no <stdio\.h>: its calls are in user\/user\.h/,
	},
	{
		name: "a file system too small for its programs",
		edits: [["kernel/param.h", "FSSIZE     2000", "FSSIZE     300"]],
		code: 5,
		said: /Makefile:\d+: error: mkfs failed: the files have \d+ KiB together, and the file system has 300 KiB \(FSSIZE in kernel\/param\.h\)/,
	},
	{
		name: "a file system of 200,000 blocks, as MIT's fs lab has it",
		edits: [["kernel/param.h", "FSSIZE     2000", "FSSIZE     200000"]],
		code: 0,
	},
];
