import { html, LitElement, nothing, type TemplateResult } from "lit";
import type { SourcePoint } from "../../src/protocol/kernelModel.ts";
import { l10n } from "../l10n.ts";
import { nameOf } from "../model/cards.ts";
import { allPids, isScenery } from "../model/columns.ts";
import { fileName } from "../model/format.ts";
import type { Run } from "../model/run.ts";
import type { Store } from "../store.ts";

/** A part of the page: drawn again when the store changes. In the document itself, so that names and ids lead from one part to another. */
export abstract class Part extends LitElement {
	static override properties = { store: { attribute: false } };
	declare store: Store;
	private leave: (() => void) | undefined;

	protected override createRenderRoot(): HTMLElement {
		return this;
	}

	override connectedCallback(): void {
		super.connectedCallback();
		this.leave = this.store?.subscribe(() => this.requestUpdate());
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		this.leave?.();
	}

	protected get run(): Run {
		return this.store.run as Run;
	}
}

const colours = 6;
const places = new WeakMap<readonly unknown[], ReadonlyMap<number, number>>();

/** The class that gives a process its colour; the same everywhere. The kernel and what was there before the run are grey. */
export function ownerClass(run: Run, pid: number): string {
	let known = places.get(run.events);
	if (!known) {
		const own = allPids(run).filter((one) => !isScenery(run, one));
		known = new Map(own.map((one, i) => [one, (i % colours) + 1]));
		places.set(run.events, known);
	}
	return `o${known.get(pid) ?? 0}`;
}

export function icon(name: string, kind = ""): TemplateResult {
	return html`<span class="codicon codicon-${name} ${kind}" aria-hidden="true"></span>`;
}

export function chip(run: Run, pid: number): TemplateResult {
	return html`<span class="chip owner ${ownerClass(run, pid)}" title=${nameOf(run, pid)}>${pid === 0 ? "K" : pid}</span>`;
}

/** A line of the sources to open. */
export function sourceLink(store: Store, source: SourcePoint | { file?: string; line?: number } | undefined) {
	const { file, line } = source ?? {};
	if (file === undefined || line === undefined) return nothing;
	return html`<button class="link mono" title=${l10n.t("Open {0} at line {1}", file, line)} @click=${() => store.openSource(file, line)}>${fileName(file)}:${line}</button>`;
}

/** The same frame is marked wherever it stands, and the lines to the others fade. */
export function relate(frame: number | undefined): void {
	for (const node of document.querySelectorAll<HTMLElement | SVGElement>("[data-frame]"))
		node.classList.toggle("related", frame !== undefined && node.dataset.frame === String(frame));
	document.querySelector("svg.links")?.classList.toggle("choosing", frame !== undefined);
}

export const related = (frame: number | undefined) => ({
	enter: () => relate(frame),
	leave: () => relate(undefined),
});

/** Arrow keys within a group that is one stop of the Tab key: true when the key moved the focus. */
export function roam(
	event: KeyboardEvent,
	items: readonly HTMLElement[],
	steps: Readonly<Record<string, number>>,
): boolean {
	const at = items.indexOf(event.target as HTMLElement);
	const edge = event.key === "Home" ? 0 : event.key === "End" ? items.length - 1 : undefined;
	const by = steps[event.key];
	if (at < 0 || (by === undefined && edge === undefined)) return false;
	const next = items[edge ?? at + (by as number)];
	event.preventDefault();
	event.stopPropagation();
	if (!next) return true;
	for (const item of items) item.tabIndex = item === next ? 0 : -1;
	next.focus();
	return true;
}
