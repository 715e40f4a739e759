// `node scripts/palette.mjs [FOLDER]`: palette entries and keys of the labs' programs, in package.json and package.nls.json, from `palette` of
// each labs/*/lab.json.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url));
const read = (path) => JSON.parse(readFileSync(join(root, path), "utf8"));
const write = (path, data, indent) => writeFileSync(join(root, path), `${JSON.stringify(data, undefined, indent)}\n`);

/** The kernel's own tests have an entry in every tree. */
const everywhere = ["usertests"];
const prefix = "xv6Lab.run.";

/** Programs and their keys. */
function labPalette() {
	const found = new Map();
	const folders = readdirSync(join(root, "labs"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
	const manifests = folders.map(({ name }) => read(`labs/${name}/lab.json`));
	const size = ({ palette = {} }) => Object.keys(palette).length;
	for (const { palette = {} } of manifests.sort((a, b) => size(b) - size(a)))
		for (const [program, key] of Object.entries(palette)) if (!found.has(program)) found.set(program, key);
	return found;
}

/** package.json and package.nls.json with these programs' entries in the place of those that are there. */
function withPalette(manifest, strings, palette) {
	const isOld = ({ command }) => command.startsWith(prefix) && !everywhere.includes(command.slice(prefix.length));
	const programs = [...palette.keys()];
	const has = (program) => `xv6Lab.has.${program}`;
	const place = (list, made) => {
		const at = Math.max(0, list.findIndex(isOld));
		const kept = list.filter((entry) => !isOld(entry));
		return [...kept.slice(0, at), ...made, ...kept.slice(at)];
	};
	const { contributes } = manifest;
	const commands = programs.map((program) => ({
		command: `${prefix}${program}`,
		title: `%command.run.${program}%`,
		category: "xv6",
		icon: "$(play)",
		enablement: has(program),
	}));
	const shown = programs.map((program) => ({ command: `${prefix}${program}`, when: has(program) }));
	const keys = [...palette].filter(([, key]) => key !== "");
	const bindings = keys.map(([program, key]) => ({
		command: `${prefix}${program}`,
		key: `ctrl+alt+x ${key}`,
		mac: `cmd+alt+x ${key}`,
		when: has(program),
	}));
	const name = "command.run.";
	const old = Object.keys(strings).filter((key) => key.startsWith(name));
	const gone = old.filter((key) => !everywhere.includes(key.slice(name.length)));
	const at = Math.max(
		0,
		Object.keys(strings).findIndex((key) => gone.includes(key)),
	);
	const kept = Object.entries(strings).filter(([key]) => !gone.includes(key));
	const titles = programs.map((program) => [`${name}${program}`, `Run ${program}`]);
	return {
		manifest: {
			...manifest,
			contributes: {
				...contributes,
				commands: place(contributes.commands, commands),
				menus: { ...contributes.menus, commandPalette: place(contributes.menus.commandPalette, shown) },
				keybindings: place(contributes.keybindings, bindings),
			},
		},
		strings: Object.fromEntries([...kept.slice(0, at), ...titles, ...kept.slice(at)]),
	};
}

const made = withPalette(read("package.json"), read("package.nls.json"), labPalette());
write("package.json", made.manifest, 2);
write("package.nls.json", made.strings, "\t");
