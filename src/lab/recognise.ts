import { fromUtf8 } from "../common/bytes.ts";
import { withoutComments } from "../common/cText.ts";
import type { SourceTree } from "../common/sourceTree.ts";
import type { LabManifest, Recognition } from "./manifest.ts";
import { Pattern } from "./pattern.ts";

/** The lab that a tree's own files speak for, if there is one, and what they say: a sentence for people. */
export interface Recognised {
	readonly manifest?: LabManifest;
	readonly why: string;
}

interface Evidence {
	readonly manifest: LabManifest;
	readonly found: readonly string[];
	readonly needed: number;
	readonly all: number;
}

/** Weighs the signs of every lab. Too few, or as many for two labs, is no lab. */
export async function recognise(manifests: readonly LabManifest[], tree: SourceTree): Promise<Recognised> {
	const texts = new Map<string, string | undefined>();
	const weighed: Evidence[] = [];
	for (const manifest of manifests) {
		const { recognition } = manifest;
		if (!recognition) continue;
		const found = await signsIn(recognition, tree, texts);
		weighed.push({ manifest, found, needed: recognition.least, all: recognition.signs.length });
	}
	const share = ({ found, all }: Evidence) => found.length / all;
	const enough = weighed.filter(({ found, needed }) => found.length >= needed).sort((a, b) => share(b) - share(a));
	const [best, second] = enough;
	if (best && second && share(best) === share(second)) {
		return { why: `No lab recognised: as many signs of ${best.manifest.id} as of ${second.manifest.id}` };
	}
	if (best) return { manifest: best.manifest, why: `${best.manifest.title}, recognised by ${list(best.found)}` };
	const partly = weighed.filter(({ found }) => found.length > 0);
	if (partly.length === 0) return { why: "No lab recognised in this tree; every program can be run and debugged" };
	const signs = partly.map(
		({ manifest, found, needed }) =>
			`of ${manifest.id} only ${list(found)} (${found.length} of the ${needed} signs needed)`,
	);
	return { why: `No lab recognised: signs ${signs.join("; ")}` };
}

async function signsIn(
	{ signs }: Recognition,
	tree: SourceTree,
	texts: Map<string, string | undefined>,
): Promise<string[]> {
	const found: string[] = [];
	for (const { name, files, has } of signs) {
		for (const file of files) {
			if (!texts.has(file)) {
				const bytes = await tree.read(file);
				texts.set(file, bytes && withoutComments(fromUtf8(bytes), "words"));
			}
			const text = texts.get(file);
			if (text === undefined || (has !== undefined && !new Pattern(has).test(text))) continue;
			found.push(name);
			break;
		}
	}
	return found;
}

function list(names: readonly string[]): string {
	return names.length < 2 ? (names[0] ?? "nothing") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
