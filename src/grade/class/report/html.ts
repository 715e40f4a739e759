import { escapeHtml } from "../../../common/visible.ts";
import type { Again, ClassScore, StudentScore, TestScore } from "../score.ts";
import { type MistakeGroup, mistakeGroups } from "./groups.ts";
import { count, median, note, pointsText, round } from "./summary.ts";

/**
 * The class page and a page for each student: static HTML, no script, nothing loaded. All text of a student comes through `html`, which
 * escapes what it is given; and were one escape missing, the policy in the head would let nothing run.
 */

/** Markup that needs no escaping any more. */
class Html {
	constructor(readonly text: string) {}
}

type Part = Html | string | number | readonly Html[];

function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
	const text = strings.raw.map((string, at) => {
		const part = parts[at];
		if (part === undefined) return string;
		if (part instanceof Html) return string + part.text;
		if (typeof part === "object") return string + part.map((one) => one.text).join("");
		return string + escapeHtml(String(part));
	});
	return new Html(text.join(""));
}

/** What stands between backticks in a hint is code. */
function withCode(text: string): Html {
	const parts = text.split(/`([^`\n]+)`/);
	return html`${parts.map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))}`;
}

const none = new Html("");
const when = (condition: boolean, part: () => Html): Html => (condition ? part() : none);

export const style = `:root{color-scheme:light dark;--line:#8886;--good:#2a7d3f;--bad:#b3261e;--quiet:#777}
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
pre{overflow-x:auto;padding:.6rem;border:1px solid var(--line);border-radius:4px;font-size:13px;white-space:pre-wrap;overflow-wrap:anywhere}
code{font-size:13px}.passed{color:var(--good)}.failed,.errored{color:var(--bad)}.not-begun,.not-checked,.quiet{color:var(--quiet)}
svg{max-width:100%;height:auto}svg rect{fill:#4a78c2}svg text{font:12px system-ui,sans-serif;fill:currentColor}
details{margin:.3rem 0}summary{cursor:pointer}`;

/** `styleHash`: base64 of the SHA-256 of {@link style}: the one style that the page allows. */
function page(title: string, styleHash: string, body: Html): string {
	const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`;
	return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
${body}
</body>
</html>
`.text;
}

/** File of a student's page: by number, whatever the student is called. */
export function pageName(position: number): string {
	return `student-${String(position + 1).padStart(3, "0")}.html`;
}

/** File of a recorded run; names of hashes and tests are harmless. */
export function runName(kernel: string, test: string): string {
	return `${kernel.slice(0, 12)}-${test}.xv6run`;
}

export function classPage(score: ClassScore, styleHash: string): string {
	const { students, manifest, most } = score;
	const place = new Map(students.map((student, at) => [student, at]));
	const link = (student: StudentScore) => html`<a href="${pageName(place.get(student) ?? 0)}">${student.label}</a>`;
	const cpu = students.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 1000;
	const head = `${count(students.length, "submission")}, ${round(most)} points at most, median ${median(students)}, ${round(cpu)} CPU seconds`;
	return page(
		`${manifest.title}: the class`,
		styleHash,
		html`<h1>${manifest.title}</h1>
<p>${head}</p>
<h2>Distribution</h2>
${distribution(score)}
<h2>Tests</h2>
${testTable(score)}
<h2>The same mistake</h2>
${mistakes(mistakeGroups(score), link)}
<h2>Students</h2>
<table><thead><tr><th>Student</th><th class="n">Points</th><th>Remarks</th><th class="n">CPU s</th></tr></thead><tbody>
${students.map(
	(
		student,
	) => html`<tr><td>${link(student)}</td><td class="n">${pointsText(student)}</td><td>${note(student)}</td><td class="n">${(student.cpuMs / 1000).toFixed(1)}</td></tr>
`,
)}</tbody></table>`,
	);
}

/** Ten columns of equal width from nothing to everything. */
function distribution({ students, most }: ClassScore): Html {
	const columns = Array.from({ length: 10 }, () => 0);
	for (const { points } of students) {
		const at = most === 0 ? 9 : Math.min(9, Math.floor((points / most) * 10));
		columns[at] = (columns[at] ?? 0) + 1;
	}
	const highest = Math.max(1, ...columns);
	const bars = columns.map((number, at) => {
		const height = Math.round((number / highest) * 120);
		const range = `${round((most * at) / 10)}–${round((most * (at + 1)) / 10)}`;
		const x = at * 64 + 8;
		return html`<rect x="${x}" y="${140 - height}" width="48" height="${height}"><title>${range} points: ${count(number, "student")}</title></rect>
<text x="${x + 24}" y="${134 - height}" text-anchor="middle">${number}</text>
<text x="${x + 24}" y="156" text-anchor="middle">${range}</text>
`;
	});
	return html`<svg viewBox="0 0 648 164" width="648" height="164" role="img" aria-label="Students by points">${bars}</svg>`;
}

function testTable({ judged, students }: ClassScore): Html {
	const rows = judged.map((test) => {
		const of = students.flatMap(({ tests }) => tests.filter((one) => one.test === test));
		const number = (...outcomes: string[]) => of.filter(({ outcome }) => outcomes.includes(outcome)).length;
		return {
			test,
			bad: number("failed", "errored"),
			unbegun: number("not-begun"),
			unchecked: number("not-checked"),
			all: of.length,
		};
	});
	rows.sort((a, b) => b.bad - a.bad || b.unbegun - a.unbegun);
	return html`<table><thead><tr><th>Test</th><th>Task</th><th class="n">Failed</th><th class="n">Not begun</th><th class="n">Not checked</th><th class="n">Of</th></tr></thead><tbody>
${rows.map(
	({
		test,
		bad,
		unbegun,
		unchecked,
		all,
	}) => html`<tr><td>${test.title} <span class="quiet">${test.id}</span></td><td>${test.task}</td><td class="n">${bad}</td><td class="n">${unbegun}</td><td class="n">${unchecked}</td><td class="n">${all}</td></tr>
`,
)}</tbody></table>`;
}

function mistakes(groups: readonly MistakeGroup[], link: (student: StudentScore) => Html): Html {
	if (groups.length === 0) return html`<p>None was recognised.</p>`;
	return html`<table><thead><tr><th class="n">Students</th><th>What went wrong</th></tr></thead><tbody>
${groups.map(({ text, students, tests }) => {
	const who = students.flatMap((student, at) => (at === 0 ? [link(student)] : [html`, `, link(student)]));
	const where = tests.length === 0 ? "" : ` (${tests.join(", ")})`;
	return html`<tr><td class="n">${students.length}</td><td><details><summary>${withCode(text)}</summary><p>${who}<span class="quiet">${where}</span></p></details></td></tr>
`;
})}</tbody></table>`;
}

/** `runs`: recorded runs by name, with their whole paths; they are in the folder `runs` beside the page. */
export function studentPage(
	score: ClassScore,
	student: StudentScore,
	styleHash: string,
	runs: ReadonlyMap<string, string> = new Map(),
): string {
	const { manifest } = score;
	const { label, submission, build, tests, problem } = student;
	const failing = tests.filter(({ text }) => text !== "");
	const remarks = [
		...submission.notes,
		...(student.stopped ? ["A limit stopped something here; xv6-lab grade --retry-stopped tries it again"] : []),
	];
	if (submission.root !== undefined && submission.root !== ".")
		remarks.unshift(`The tree is ${submission.root} in the submission`);
	if (build && build.changed.length > 0)
		remarks.push(`The tree's own ${build.changed.join(", ")} differ from the lab's and are not used`);
	return page(
		`${label}: ${manifest.title}`,
		styleHash,
		html`<p><a href="index.html">The class</a></p>
<h1>${label}</h1>
<p>${manifest.title}: ${pointsText(student)} points</p>
${when(remarks.length > 0, () => html`<ul>${remarks.map((remark) => html`<li>${remark}</li>`)}</ul>`)}
${when(problem !== undefined, () => html`<pre>${problem ?? ""}</pre>`)}
${when(
	tests.length > 0,
	() => html`<table><thead><tr><th>Test</th><th>Task</th><th>Outcome</th><th class="n">Points</th></tr></thead><tbody>
${tests.map(
	(
		one,
	) => html`<tr><td>${one.text === "" ? html`${one.test.title}` : html`<a href="#${anchor(score, one)}">${one.test.title}</a>`}</td><td>${one.test.task}</td><td class="${one.outcome}">${outcomeWords[one.outcome]}</td><td class="n">${pointsText(one)}</td></tr>
`,
)}</tbody></table>`,
)}
${failing.map((one) => {
	const run = runName(build?.kernel ?? "", one.test.id);
	return verdict(
		one,
		manifest.id,
		anchor(score, one),
		runs.has(run) ? { name: run, path: runs.get(run) ?? "" } : undefined,
	);
})}`,
	);
}

const outcomeWords = {
	passed: "passed",
	failed: "failed",
	"not-begun": "not begun",
	"not-checked": "not checked",
	errored: "could not be judged",
} as const;

function verdict({ test, text, outcome, again }: TestScore, lab: string, place: string, run: Run | undefined): Html {
	return html`<h2 id="${place}">${test.title}</h2>
<p class="${outcome}">${outcomeWords[outcome]}</p>
<pre>${text}</pre>
${when(again !== undefined, () => html`<p>See it again, in the tree: <code>${again ? againCommand(again, test.id, lab) : ""}</code></p>`)}
${run ? runLinks(run) : none}
`;
}

interface Run {
	readonly name: string;
	/** Whole, with `/`. */
	readonly path: string;
}

function runLinks({ name, path }: Run): Html {
	const open = `vscode://xv6-lab.xv6-lab/openRun?${encodeURIComponent(path)}`;
	return html`<p>The recorded run: <a href="${open}">open it in VS Code</a>, or <code>xv6-lab replay <a href="runs/${name}">runs/${name}</a></code></p>`;
}

/** A script's tests are called by any text. */
function anchor({ judged }: ClassScore, { test }: TestScore): string {
	return `test-${judged.indexOf(test) + 1}`;
}

/** A command that shows the failure once more. */
export function againCommand(again: Again, test: string, lab: string): string {
	if (again.script !== undefined) return `xv6-lab test --script ${again.script} --test ${JSON.stringify(test)}`;
	if (again.explore) return `xv6-lab explore ${again.command}`;
	return `xv6-lab test --lab ${lab} --test ${test}${again.seed === 0 ? "" : ` --seed ${again.seed}`}`;
}
