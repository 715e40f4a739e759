import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, sep } from "node:path";

type SandboxKind = "bubblewrap" | "sandbox-exec";

type Find = (program: string) => Promise<string | undefined>;

/** What this system has for shutting a program in; whether it works here is tried out with the compiler. */
export async function findSandbox(find: Find): Promise<SandboxKind | undefined> {
	if (process.platform === "linux" && (await find("bwrap"))) return "bubblewrap";
	if (process.platform === "darwin" && existsSync("/usr/bin/sandbox-exec")) return "sandbox-exec";
	return undefined;
}

/** Where a system keeps programs and libraries: nothing there is anybody's own. */
const systemFolders = [
	"/usr",
	"/bin",
	"/sbin",
	"/lib",
	"/lib32",
	"/lib64",
	"/libx32",
	"/etc/alternatives",
	"/etc/ld.so.cache",
	"/etc/ld.so.conf",
	"/etc/ld.so.conf.d",
	"/nix/store",
	"/gnu/store",
];

/** The call that runs a program where it sees its folder, the system's programs and libraries, and no network. */
export async function shutIn(
	program: string,
	args: readonly string[],
	folder: string,
	find: Find,
): Promise<readonly string[]> {
	const real = await realpath(program);
	const own = ownFolder(real);
	if ((await findSandbox(find)) === "sandbox-exec")
		return ["/usr/bin/sandbox-exec", "-p", macProfile(folder, own, await realpath(homedir())), program, ...args];
	const bound = [...systemFolders, ...(own === undefined ? [] : [own])].flatMap((path) => [
		"--ro-bind-try",
		path,
		path,
	]);
	return [
		(await find("bwrap")) ?? "bwrap",
		...["--unshare-all", "--die-with-parent", "--new-session"],
		...bound,
		...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
		...["--bind", folder, folder, "--chdir", folder, "--"],
		// By its own name: a link to it may lie where nothing is seen.
		...(own === undefined ? [program] : [real]),
		...args,
	];
}

/** Folder with the parts of a compiler that is none of the system's: `…/bin/gcc` has them in `…`. Never the user's home or what holds it. */
function ownFolder(real: string): string | undefined {
	if (systemFolders.some((folder) => real.startsWith(`${folder}/`))) return undefined;
	const folder = dirname(dirname(real));
	return folder === "/" || `${homedir()}${sep}`.startsWith(`${folder}${sep}`) ? undefined : folder;
}

/** Apple's profile language; the last rule that fits counts. What is not the home, a volume or another's temporary file is the system's. */
function macProfile(folder: string, own: string | undefined, home: string): string {
	const quote = (path: string) => `"${path.replace(/[\\"]/g, "\\$&")}"`;
	return [
		"(version 1)",
		"(allow default)",
		"(deny network*)",
		"(deny file-write*)",
		`(deny file-read* (subpath ${quote(home)}) (subpath "/Users") (subpath "/Volumes") (subpath "/private/tmp") (subpath "/private/var/folders"))`,
		...(own === undefined ? [] : [`(allow file-read* (subpath ${quote(own)}))`]),
		`(allow file-read* file-write* (subpath ${quote(folder)}))`,
		'(allow file-write* (literal "/dev/null"))',
	].join("");
}
