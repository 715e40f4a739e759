import { html, nothing, svg } from "lit";
import { l10n } from "../l10n.ts";
import { count, since } from "../model/format.ts";
import { type Branch, branchesIn, type Lane, lanesIn, overview, type Window, windowAround } from "../model/lanes.ts";
import type { TimeEvent } from "../model/run.ts";
import { caption, type EventKind, isRefused, kindOf } from "../model/words.ts";
import { chip, icon, ownerClass, Part } from "./part.ts";

const icons: Readonly<Record<EventKind, string>> = {
	start: "circle-outline",
	fork: "repo-forked",
	exec: "rocket",
	map: "new-file",
	unmap: "trash",
	grow: "arrow-up",
	fault: "zap",
	exit: "sign-out",
	call: "gear",
	now: "eye",
};
const words: readonly (readonly [EventKind, () => string])[] = [
	["fork", () => l10n.t("fork")],
	["exec", () => l10n.t("exec")],
	["map", () => l10n.t("map")],
	["unmap", () => l10n.t("unmap")],
	["grow", () => l10n.t("grow")],
	["fault", () => l10n.t("page fault")],
	["exit", () => l10n.t("exit")],
];
const mostLanes = 8;
const captionWidth = 46;
const binWidth = 4;
const overviewHeight = 24;

/** A lane a process, a column an event. */
class Timeline extends Part {
	private window: Window | undefined;

	override render() {
		const { store } = this;
		const run = this.run;
		const narrow = store.width < 720;
		const label = narrow ? 40 : 120;
		const room = Math.min(store.width, 2400) - (narrow ? 24 : 32) - label;
		const least = narrow ? 20 : 28;
		const most = Math.max(4, Math.floor(room / least));
		const window = windowAround(run.events.length, store.index, most, this.window);
		this.window = window;
		const { lanes, left } = lanesIn(run, window, mostLanes);
		const size = window.to - window.from;
		const column = Math.max(least, Math.min(96, Math.floor(room / size)));
		const rows = `16px repeat(${lanes.length}, 28px) 16px`;
		const shape = `grid-template-columns: ${label}px repeat(${size}, ${column}px); grid-template-rows: ${rows}`;
		const events = run.events.slice(window.from, window.to);
		return html`
			<section class="timeline" aria-label=${l10n.t("Time line")}>
				${size < run.events.length ? this.overview(window) : nothing}
				<div class="grid" role="group" aria-label=${l10n.t("Events; the arrow keys move through them")} .style=${shape} @keydown=${this.key}>
					${events.map((event, i) => this.column(event, window.from + i, window, lanes.length, column))}
					${lanes.map((lane, row) => this.lane(lane, row, window))}
					${branchesIn(run, window, lanes).map((branch) => this.branch(branch, lanes, window))}
					${events.map((event, i) => this.event(event, window.from + i, window, lanes))}
				</div>
				${left > 0 ? html`<p class="note">${l10n.t("{0} more processes do something in this part of the run.", left)}</p>` : nothing}
				${this.guestTime(window, label)}
				${this.legend(events)}
			</section>`;
	}

	private column(event: TimeEvent, index: number, window: Window, lanes: number, width: number) {
		const { store } = this;
		const here = index === store.index;
		const at = index - window.from + 2;
		const found = store.cards.filter((card) => card.first === index);
		return html`
			<div class="column ${here ? "here" : ""}" .style=${`grid-column: ${at}; grid-row: 1 / -1`} @click=${() => store.go(index)}></div>
			${found.length > 0 ? html`<span class="flag" .style=${`grid-column: ${at}; grid-row: 1`} title=${l10n.t("{0} first seen here", found.map(({ title }) => title).join("; "))}>${icon("error", "bad")}</span>` : nothing}
			${width >= captionWidth ? html`<span class="caption" .style=${`grid-column: ${at}; grid-row: ${lanes + 2}`}>${!event.entry && !event.step && store.isOver ? l10n.t("end") : caption(event)}</span>` : nothing}`;
	}

	private lane({ pid, name, from, to }: Lane, row: number, window: Window) {
		const run = this.run;
		const first = Math.max(from, window.from);
		const last = Math.min(to, window.to - 1);
		const place = `grid-row: ${row + 2}; grid-column: ${first - window.from + 2} / ${last - window.from + 3}`;
		return html`
			<div class="lane" .style=${`grid-row: ${row + 2}`} title="${pid} ${name}">${chip(run, pid)}<span class="name">${name}</span></div>
			${last >= first ? html`<div class="life ${ownerClass(run, pid)}" .style=${place}></div>` : nothing}`;
	}

	private branch({ event, parent, child }: Branch, lanes: readonly Lane[], window: Window) {
		const row = (pid: number) => lanes.findIndex((lane) => lane.pid === pid) + 2;
		const [top, bottom] = [Math.min(row(parent), row(child)), Math.max(row(parent), row(child))];
		const at = event - window.from + 2;
		return html`
			<span class="branch" .style=${`grid-column: ${at}; grid-row: ${top} / ${bottom + 1}`}></span>
			<span class="bud ${ownerClass(this.run, child)}" .style=${`grid-column: ${at}; grid-row: ${row(child)}`}></span>`;
	}

	private event(event: TimeEvent, index: number, window: Window, lanes: readonly Lane[]) {
		const { store } = this;
		const run = this.run;
		const { entry } = event;
		const row = entry ? lanes.findIndex((lane) => lane.pid === entry.pid) : -1;
		if (entry && row < 0) return nothing;
		const kind = kindOf(event);
		const here = index === store.index;
		const part = entry !== undefined && store.cards.some((card) => card.log.includes(entry.id));
		const refused = entry !== undefined && isRefused(entry);
		const text = store.textOf(event);
		const label = [`${index + 1}: ${entry ? `${entry.pid} ` : ""}${text}`, part ? l10n.t("part of a finding") : ""]
			.filter(Boolean)
			.join(", ");
		const place = `grid-column: ${index - window.from + 2}; grid-row: ${row < 0 ? "2 / -2" : row + 2}`;
		return html`<button class="event ${kind} ${ownerClass(run, entry?.pid ?? 0)} ${part || refused ? "wrong" : ""}" .style=${place}
			data-index=${index} tabindex=${here ? 0 : -1} aria-current=${here ? "step" : nothing} aria-label=${label} title=${label}
			@click=${() => store.go(index)}>${icon(refused ? "error" : icons[kind])}</button>`;
	}

	/** All events of the run, as many to a bar as it takes. */
	private overview(window: Window) {
		const { store } = this;
		const run = this.run;
		const width = Math.max(100, store.width - (store.width < 720 ? 24 : 32));
		const marks = store.cards.flatMap(({ first }) => (first === undefined ? [] : [first]));
		const bins = overview(run, Math.floor(width / binWidth), marks);
		const n = run.events.length;
		const x = (event: number) => (event / n) * width;
		const most = Math.max(1, ...bins.map(({ from, to }) => to - from));
		const at = (pointer: PointerEvent) => {
			const box = (pointer.currentTarget as HTMLElement).getBoundingClientRect();
			return Math.max(0, Math.min(n - 1, Math.floor(((pointer.clientX - box.left) / box.width) * n)));
		};
		const text = l10n.t("event {0} of {1}", count(store.index + 1), count(n));
		return html`
			<div class="overview" role="slider" tabindex="0" aria-label=${l10n.t("Whole run")} aria-valuemin="1" aria-valuemax=${n}
				aria-valuenow=${store.index + 1} aria-valuetext=${text} title=${l10n.t("The whole run; click to go there")}
				@keydown=${this.pageKey}
				@pointerdown=${(pointer: PointerEvent) => {
					(pointer.currentTarget as HTMLElement).setPointerCapture(pointer.pointerId);
					store.go(at(pointer));
				}}
				@pointermove=${(pointer: PointerEvent) => pointer.buttons === 1 && store.go(at(pointer))}>
				<svg width=${width} height=${overviewHeight} viewBox="0 0 ${width} ${overviewHeight}" aria-hidden="true" preserveAspectRatio="none">
					${bins.map(({ from, to, faults, marked }) => {
						const height = Math.max(2, ((to - from) / most) * (overviewHeight - 6));
						const share = (faults / Math.max(1, to - from)) * height;
						const w = Math.max(1, x(to) - x(from) - 1);
						return svg`
							<rect class="calls" x=${x(from)} y=${overviewHeight - height} width=${w} height=${height}></rect>
							<rect class="faults" x=${x(from)} y=${overviewHeight - share} width=${w} height=${share}></rect>
							${marked ? svg`<path class="mark" d="M${x(from)} 0h6l-3 5z"></path>` : nothing}`;
					})}
					<rect class="window" x=${x(window.from)} y="0.5" width=${Math.max(3, x(window.to) - x(window.from))} height=${overviewHeight - 1}></rect>
					<rect class="now" x=${x(store.index)} y="0" width="2" height=${overviewHeight}></rect>
				</svg>
			</div>`;
	}

	private guestTime(window: Window, label: number) {
		const { store } = this;
		const run = this.run;
		const events = run.events.slice(window.from, window.to);
		const [first, last] = [events[0]?.t ?? 0, events.at(-1)?.t ?? 0];
		const at = (t: number) => `calc((100% - 2px) * ${last > first ? ((t - first) / (last - first)).toFixed(4) : 0})`;
		return html`
			<div class="guest-time" .style=${`grid-template-columns: ${label}px minmax(0, 1fr) auto`} title=${l10n.t("The same events in true guest time, in retired instructions")}>
				<span class="muted">${store.width < 720 ? l10n.t("time") : l10n.t("guest time")}</span>
				<div class="ticks" aria-hidden="true">${events.map(({ t, entry }, i) => html`<i class="${ownerClass(run, entry?.pid ?? 0)} ${window.from + i === store.index ? "here" : ""}" .style=${`left: ${at(t)}`}></i>`)}</div>
				<span class="mono muted">${since(run.start, last)}</span>
			</div>`;
	}

	private legend(events: readonly TimeEvent[]) {
		const kinds = new Set(events.map(kindOf));
		const found = this.store.cards.some(({ first }) => first !== undefined);
		return html`<div class="legend">
			${words.filter(([kind]) => kinds.has(kind)).map(([kind, word]) => html`<span>${icon(icons[kind])} ${word()}</span>`)}
			${found ? html`<span>${icon("error", "bad")} ${l10n.t("finding")}</span>` : nothing}
			<span>${l10n.t("one column an event, in order, not to scale")}</span>
		</div>`;
	}

	private pageKey(event: KeyboardEvent): void {
		const size = this.window ? this.window.to - this.window.from : 1;
		const by = event.key === "PageUp" ? -size : event.key === "PageDown" ? size : 0;
		if (by === 0) return;
		event.preventDefault();
		this.store.go(Math.max(0, Math.min(this.run.events.length - 1, this.store.index + by)));
	}

	/** The focus goes with the moment. */
	private key(event: KeyboardEvent): void {
		if (!/^Arrow(Left|Right)$|^Home$|^End$/.test(event.key)) return;
		void this.updateComplete.then(() =>
			requestAnimationFrame(() =>
				this.querySelector<HTMLElement>('.event[aria-current="step"]')?.focus({ preventScroll: true }),
			),
		);
	}
}
customElements.define("xv6-timeline", Timeline);
