interface Hunk {
	readonly header: string;
	/** First line of the old text, counted from 1 (0 for a file that is new). */
	readonly start: number;
	readonly before: string[];
	readonly after: string[];
}

interface FilePatch {
	readonly path: string;
	readonly hunks: Hunk[];
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * Applies a unified diff of existing or new files. Each hunk's context has to match exactly, at the place nearest to the
 * line that it names: a change of `xv6/` further up moves it.
 */
export function applyPatch(files: ReadonlyMap<string, Uint8Array>, patch: string): Map<string, Uint8Array> {
	const patched = new Map(files);
	for (const { path, hunks } of parsePatch(patch)) {
		const bytes = files.get(path);
		const creates = hunks.every((hunk) => hunk.start === 0);
		if (!bytes && !creates) throw new Error(`${path}: no such file, yet the patch changes it`);
		patched.set(path, encoder.encode(applyHunks(path, bytes ? decoder.decode(bytes) : "", hunks)));
	}
	return patched;
}

function applyHunks(path: string, text: string, hunks: readonly Hunk[]): string {
	const lines = text === "" ? [] : text.replace(/\n$/, "").split("\n");
	const result: string[] = [];
	let taken = 0;
	for (const hunk of hunks) {
		const at = hunk.before.length === 0 ? hunk.start : nearest(lines, hunk, taken);
		if (at === undefined) throw new Error(`${path}: hunk ${hunk.header} does not match`);
		result.push(...lines.slice(taken, at), ...hunk.after);
		taken = at + hunk.before.length;
	}
	result.push(...lines.slice(taken));
	return result.map((line) => `${line}\n`).join("");
}

/** Index of the line, from `first` on, at which the hunk's old text stands; the nearest to where it should. */
function nearest(lines: readonly string[], hunk: Hunk, first: number): number | undefined {
	let best: number | undefined;
	const distance = (at: number) => Math.abs(at - (hunk.start - 1));
	for (let at = first; at + hunk.before.length <= lines.length; at++) {
		if (best !== undefined && distance(at) >= distance(best)) continue;
		if (hunk.before.every((line, index) => line === lines[at + index])) best = at;
	}
	return best;
}

function parsePatch(patch: string): FilePatch[] {
	const files: FilePatch[] = [];
	let hunk: (Hunk & { oldLeft: number; newLeft: number }) | undefined;
	for (const line of patch.split("\n")) {
		if (hunk && (hunk.oldLeft > 0 || hunk.newLeft > 0)) {
			const kind = line[0] ?? " ";
			const content = line.slice(1);
			if (kind === "\\") continue;
			if (kind !== "+") {
				hunk.before.push(content);
				hunk.oldLeft--;
			}
			if (kind !== "-") {
				hunk.after.push(content);
				hunk.newLeft--;
			}
			continue;
		}
		const target = /^\+\+\+ (?:b\/)?([^\t]+)/.exec(line);
		if (target) {
			files.push({ path: target[1] as string, hunks: [] });
			continue;
		}
		const head = /^(@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@)/.exec(line);
		if (!head) continue;
		const file = files.at(-1);
		if (!file) throw new Error(`hunk ${head[1]} stands before any file name`);
		hunk = {
			header: head[1] as string,
			start: Number(head[2]),
			before: [],
			after: [],
			oldLeft: Number(head[3] ?? 1),
			newLeft: Number(head[4] ?? 1),
		};
		file.hunks.push(hunk);
	}
	return files;
}
