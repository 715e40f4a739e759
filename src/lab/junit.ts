import { visible } from "../common/visible.ts";
import { isTold, renderDiagnoses } from "../protocol/diagnosis.ts";
import type { Verdict } from "../protocol/verdict.ts";

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** XML 1.0 forbids most control characters even when escaped; guest output may hold any byte, and a report is read in terminals, too. */
export function escapeXml(text: string): string {
	return visible(text)
		.replace(/[\ufffe\uffff]/g, "\ufffd")
		.replace(/[&<>"]/g, (character) => escapes[character] as string);
}

/** JUnit's XML as autograders read it: a suite a lab, a case a test and seed. Times are left out: guest time is no wall time. */
export function toJUnit(verdicts: readonly Verdict[], properties: Readonly<Record<string, string>> = {}): string {
	const labs = [...new Set(verdicts.map((verdict) => verdict.lab))];
	const suites = labs.map((lab) =>
		suite(
			lab,
			verdicts.filter((verdict) => verdict.lab === lab),
			properties,
		),
	);
	return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join("")}</testsuites>\n`;
}

function suite(lab: string, verdicts: readonly Verdict[], properties: Readonly<Record<string, string>>): string {
	const count = (outcome: Verdict["outcome"]) => verdicts.filter((verdict) => verdict.outcome === outcome).length;
	// Some graders take everything for passed that is no failure or error: what is not begun or not checked is a failure to them, and says its type.
	const skipped = verdicts.filter(({ reasons }) => reasons[0]?.kind === "not-graded").length;
	const failures = count("failed") + count("not-begun") + count("not-checked") - skipped;
	const head = `  <testsuite name="${escapeXml(lab)}" tests="${verdicts.length}" failures="${failures}" errors="${count("errored")}"${skipped > 0 ? ` skipped="${skipped}"` : ""}>\n`;
	const named = Object.entries(properties).map(
		([name, value]) => `      <property name="${escapeXml(name)}" value="${escapeXml(value)}"/>\n`,
	);
	const list = named.length > 0 ? `    <properties>\n${named.join("")}    </properties>\n` : "";
	return `${head}${list}${verdicts.map(testCase).join("")}  </testsuite>\n`;
}

function testCase(verdict: Verdict): string {
	const name = `${verdict.title} (harts ${verdict.harts}, seed ${verdict.seed})`;
	const open = `    <testcase classname="${escapeXml(`${verdict.lab}.${verdict.task}`)}" name="${escapeXml(name)}"`;
	if (verdict.outcome === "passed") return `${open}/>\n`;
	if (verdict.reasons[0]?.kind === "not-graded")
		return `${open}>\n      <skipped message="${escapeXml(verdict.reasons[0].message)}"/>\n    </testcase>\n`;
	const tag = verdict.outcome === "errored" ? "error" : "failure";
	const silent = verdict.outcome === "not-begun" || verdict.outcome === "not-checked";
	const type = silent ? ` type="${verdict.outcome}"` : "";
	const message = verdict.reasons.map((reason) => reason.message).join("; ");
	return `${open}>\n      <${tag}${type} message="${escapeXml(message)}">${escapeXml(describe(verdict))}</${tag}>\n    </testcase>\n`;
}

/** A verdict in words, for terminals and reports. */
export function describe(verdict: Verdict): string {
	const lines = verdict.reasons.map((reason) => reason.message);
	if (verdict.outcome === "passed") return "passed";
	if (verdict.diagnoses.length > 0) lines.push(renderDiagnoses(verdict.diagnoses));
	if (verdict.reasons.some((reason) => reason.kind === "output" || reason.kind === "program-missing")) {
		lines.push("expected:", indent(verdict.expected), "actual:", indent(verdict.actual));
	} else if (verdict.end !== "prompt" && verdict.actual !== "") {
		lines.push("output:", indent(verdict.actual));
	}
	for (const { text } of verdict.exploration ?? []) lines.push("", text.trimEnd());
	for (const explanation of verdict.explanations) {
		lines.push(`why: ${explanation.text}`);
		if (explanation.look) lines.push(`look at: ${explanation.look}`);
	}
	for (const finding of verdict.findings)
		if (!isTold(verdict.diagnoses, finding.id)) lines.push(`finding: ${finding.sentence}`);
	// A diagnosis shows the calls itself.
	if (verdict.stack.length > 0 && !verdict.diagnoses.some(({ frames }) => frames.length > 0)) {
		lines.push("stack:");
		for (const frame of verdict.stack) {
			const where = frame.file ? ` at ${frame.file}${frame.line ? `:${frame.line}` : ""}` : "";
			lines.push(`  ${frame.name}${where} (${frame.address})`);
		}
	}
	if (verdict.faults.length > 0) {
		lines.push("last page faults:");
		for (const fault of verdict.faults.slice(-5)) lines.push(`  ${fault.text}`);
	}
	return visible(lines.join("\n"));
}

function indent(text: string): string {
	return text
		.trimEnd()
		.split("\n")
		.map((line) => `  ${line}`)
		.join("\n");
}
