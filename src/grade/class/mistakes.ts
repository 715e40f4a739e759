import { visible } from "../../common/visible.ts";
import type { Verdict } from "../../protocol/verdict.ts";
import type { Mistake } from "./lines.ts";

/** What went wrong, so that the same mistake in two trees has the same key: the lab's known failure, else the cause, else the symptom. */
export function mistakesOf({ outcome, explanations, diagnoses, findings, reasons, test }: Verdict): Mistake[] {
	if (outcome === "passed" || outcome === "not-begun") return [];
	const found: Mistake[] = [];
	const [known] = explanations;
	if (known) found.push({ key: `known ${known.id}`, text: known.text });
	for (const { severity, kind, cause, look, frames } of diagnoses) {
		if (severity !== "error") continue;
		const where = look?.function ?? frames[0]?.name ?? "";
		found.push({ key: `cause ${kind} ${where}`, text: cause });
	}
	if (found.length === 0) for (const { id, sentence } of findings) found.push({ key: `finding ${id}`, text: sentence });
	const [reason] = reasons;
	if (found.length === 0 && reason) {
		const own = reason.kind === "output" ? test : generally(reason.message);
		found.push({
			key: `symptom ${reason.kind} ${own}`,
			text: reason.kind === "output" ? `${test}: ${reason.message}` : reason.message,
		});
	}
	const distinct = new Map(found.map((one) => [one.key, { key: visible(one.key), text: visible(one.text) }]));
	return [...distinct.values()];
}

/** Without numbers and addresses. */
export function generally(message: string): string {
	return message.replace(/0x[0-9a-f]+|\d+/gi, "N");
}
