import { applyPatch as applyFile, parsePatch, type StructuredPatch } from "diff";
import { fromUtf8, utf8 } from "../common/bytes.ts";
import { UserError } from "../common/errors.ts";

/**
 * Files with a unified diff applied; `files` itself stays as it is. A hunk's context must match exactly, at the place nearest to the
 * line that it names, so a change further up in the file below only moves it. `name` is the patch's own, for its errors.
 */
export function applyPatch(
	files: ReadonlyMap<string, Uint8Array>,
	patch: string,
	name = "patch",
): Map<string, Uint8Array> {
	const patched = new Map(files);
	for (const file of parsed(patch, name)) {
		const path = pathOf(file);
		const bytes = files.get(path);
		const creates = file.hunks.every((hunk) => hunk.oldLines === 0);
		if (!bytes && !creates) throw unfit(name, `it changes ${path}, which is not there`);
		const text = bytes ? fromUtf8(bytes) : "";
		const result = applyFile(text, file);
		if (result === false) throw unfit(name, `${path}: hunk ${misfit(text, file)} does not match`);
		patched.set(path, utf8(result));
	}
	return patched;
}

function parsed(patch: string, name: string): StructuredPatch[] {
	try {
		return parsePatch(patch);
	} catch (error) {
		throw unfit(name, error instanceof Error ? error.message : String(error));
	}
}

function pathOf(file: StructuredPatch): string {
	return (file.newFileName ?? "").replace(/^b\//, "");
}

/** The first hunk that cannot be applied after those before it. */
function misfit(text: string, file: StructuredPatch): string {
	const at = file.hunks.findIndex(
		(_, index) => applyFile(text, { ...file, hunks: file.hunks.slice(0, index + 1) }) === false,
	);
	const hunk = file.hunks[at];
	return hunk ? `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@` : "";
}

function unfit(name: string, why: string): UserError {
	return new UserError(
		"lab-patch-unfit",
		`${name} does not apply: ${why}`,
		"Make the patch again, against the files below it.",
	);
}
