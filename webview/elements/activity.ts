import { html, nothing, svg } from "lit";
import type { ActivityMark, ActivityModel, ActivitySpan } from "../../src/protocol/activity.ts";
import { l10n } from "../l10n.ts";
import {
	type ActivityGroup,
	type ActivityLane,
	activityLanes,
	activityText,
	axisTicks,
	type Bar,
	groupOf,
	moved,
	partAround,
	type TimePart,
	within,
	zoomed,
} from "../model/activity.ts";
import { count, since } from "../model/format.ts";
import { chip, icon, ownerClass, Part, roam, sourceLink } from "./part.ts";

const laneHeight = 26;
const axisHeight = 20;
const mostRows = 200;
/** Wall time between two questions while the machine runs. */
const patienceMs = 1000;
const groupNames: readonly (readonly [ActivityGroup, () => string])[] = [
	["runs", () => l10n.t("runs")],
	["locks", () => l10n.t("locks")],
	["sleeps", () => l10n.t("sleeps")],
	["traps", () => l10n.t("traps")],
];

/** Who runs where, waits for locks, holds them, sleeps: lanes by hart and by process, from the machine's history. */
class Activity extends Part {
	private isOpen = false;
	private range: TimePart | undefined;
	private model: ActivityModel | undefined;
	private problem = "";
	private asking = false;
	private answeredAt = 0;
	/** The moment that the part was chosen for. */
	private moment = -1;
	private chosen: ActivitySpan | undefined;
	/** The last wish to see this part that was followed. */
	private shownFor = 0;
	private readonly shown = new Set<ActivityGroup>(["runs", "locks", "sleeps", "traps"]);

	override render() {
		const { isOpen } = this;
		return html`
			<section class="part activity" aria-labelledby="activity-title">
				<h2 id="activity-title">${l10n.t("Who ran when")}<small>${l10n.t("harts, processes and locks over time")}</small></h2>
				<button class="btn" aria-expanded=${isOpen} @click=${() => this.toggle()}>${icon(isOpen ? "chevron-down" : "chevron-right")}${isOpen ? l10n.t("Hide") : l10n.t("Show")}</button>
				${isOpen ? this.body() : nothing}
				${isOpen && this.asking ? html`<p class="sr" role="status">${l10n.t("Doing this part of the run again…")}</p>` : nothing}
			</section>`;
	}

	private toggle(): void {
		this.isOpen = !this.isOpen;
		this.requestUpdate();
	}

	override updated(): void {
		const { store } = this;
		if (store.activityWishes !== this.shownFor) {
			this.shownFor = store.activityWishes;
			this.isOpen = true;
			this.requestUpdate();
			void this.updateComplete.then(() => this.querySelector<HTMLElement>("h2")?.scrollIntoView({ block: "start" }));
		}
		if (!this.isOpen || !store.run) return;
		const t = store.event?.t ?? 0;
		if (t === this.moment) return;
		const isIn = this.range && t >= this.range.from && t <= this.range.to;
		const soon = store.following && store.host.machine === "running" && Date.now() - this.answeredAt < patienceMs;
		if (this.asking || soon) return;
		this.moment = t;
		if (!isIn || store.following) this.look(partAround(t, this.range && this.range.to - this.range.from));
		else this.requestUpdate();
	}

	private look(part: TimePart): void {
		this.range = this.model ? within(part, this.model) : part;
		if (!this.asking) void this.ask();
		this.requestUpdate();
	}

	private async ask(): Promise<void> {
		this.asking = true;
		try {
			for (let asked: TimePart | undefined; this.range && asked !== this.range; ) {
				asked = this.range;
				const model = await this.store.askActivity(asked);
				this.problem = model ? "" : l10n.t("This machine keeps no past (setting xv6Lab.history.memory).");
				this.model = model;
				if (model && this.range === asked) {
					this.range = { from: model.from, to: Math.max(model.to, model.from + 1) };
					asked = this.range;
				}
			}
		} catch (error) {
			this.problem = (error as Error).message;
		}
		this.asking = false;
		this.answeredAt = Date.now();
		this.requestUpdate();
	}

	// ---- the picture ---------------------------------------------------------------------------------------------------

	private body() {
		const { model, range: part, problem } = this;
		if (problem) return html`<p class="note">${problem}</p>`;
		if (!model || !part) return html`<p class="muted">${l10n.t("Doing this part of the run again…")}</p>`;
		const narrow = this.store.width < 720;
		const label = narrow ? 56 : 120;
		const width = Math.max(160, Math.min(this.store.width, 2400) - (narrow ? 30 : 66) - label);
		const { lanes, left } = activityLanes(model, part, width);
		const notes = [
			...model.notes,
			left > 0 ? l10n.t("{0} more processes do less.", left) : "",
			model.left > 0
				? l10n.t("{0} short lock holds and traps are left out; zoom in to see them.", count(model.left))
				: "",
		].filter(Boolean);
		return html`
			${this.tools(model, part)}
			${model.marks.map((mark) => this.markLine(mark, part))}
			<div class="picture" tabindex="0" role="group" @keydown=${this.key}
				aria-label=${l10n.t("Picture: plus and minus zoom, the arrow keys move; the table has the same")}>
				<div class="names" aria-hidden="true" .style=${`width: ${label}px; padding-top: ${axisHeight}px`}>${lanes.map((lane) => this.name(lane))}</div>
				${this.drawing(model, part, lanes, width)}
			</div>
			${this.legend()}
			${notes.map((text) => html`<p class="note">${text}</p>`)}
			${this.table(model, part)}`;
	}

	private tools(model: ActivityModel, part: TimePart) {
		const size = part.to - part.from;
		const button = (name: string, text: string, act: () => void, disabled = false) =>
			html`<button class="btn icon" title=${text} aria-label=${text} ?disabled=${disabled} @click=${act}>${icon(name)}</button>`;
		const { chosen } = this;
		return html`
			<div class="tools" role="toolbar" aria-label=${l10n.t("Part of the run")}>
				${button("zoom-in", l10n.t("Zoom in"), () => this.zoom(0.5), size <= 200)}
				${button("zoom-out", l10n.t("Zoom out"), () => this.zoom(2), part.from <= model.oldest && part.to >= model.present)}
				${button("arrow-left", l10n.t("Earlier"), () => this.look(moved(part, -0.5)), part.from <= model.oldest)}
				${button("arrow-right", l10n.t("Later"), () => this.look(moved(part, 0.5)), part.to >= model.present)}
				${chosen ? html`<button class="btn" @click=${() => this.look(zoomed({ from: chosen.from, to: chosen.to + 1 }, 1.5))}>${l10n.t("Zoom to the selected")}</button>` : nothing}
				${chosen && this.store.host.canDebug ? html`<button class="btn" @click=${() => this.store.debug(chosen.from)}>${icon("debug-alt")}${l10n.t("Debug there")}</button>` : nothing}
				<span class="muted">${l10n.t("instructions {0} to {1}", count(part.from), count(part.to))}</span>
			</div>`;
	}

	private markLine(mark: ActivityMark, part: TimePart) {
		const { at, hart, kind, text } = mark;
		const what = kind === "race" ? l10n.t("Race, hart {0}: {1}", hart, text) : l10n.t("Deadlock: {0}", text);
		const size = Math.min(part.to - part.from, 4000);
		return html`<p class="mark-line">${icon("error", "bad")} ${what}
			<button class="link" @click=${() => this.look(partAround(at, size))}>${l10n.t("instruction {0}", count(at))}</button></p>`;
	}

	private name({ pid, name }: ActivityLane) {
		return html`<div class="lane-name" .style=${`height: ${laneHeight}px`} title=${pid === undefined ? name : `${pid} ${name}`}>${pid === undefined ? nothing : chip(this.run, pid)}<span class="name">${name}</span></div>`;
	}

	private drawing(model: ActivityModel, part: TimePart, lanes: readonly ActivityLane[], width: number) {
		const height = axisHeight + lanes.length * laneHeight;
		const x = (t: number) => ((t - part.from) / Math.max(1, part.to - part.from)) * width;
		const rowOf = (pid: number) => lanes.findIndex((lane) => lane.pid === pid);
		const middle = (row: number) => axisHeight + row * laneHeight + laneHeight / 2;
		const now = this.store.event?.t ?? -1;
		const { start } = this.run;
		const isIn = (t: number) => t >= part.from && t <= part.to;
		const wakes = model.spans.flatMap(({ kind, by, pid, to }) => {
			const [from, row] = [by && by.pid > 0 ? rowOf(by.pid) : (by?.hart ?? -1), rowOf(pid)];
			return kind === "sleeps" && from >= 0 && row >= 0 && isIn(to) ? [{ at: x(to), from, row }] : [];
		});
		return html`<svg width=${width} height=${height} viewBox="0 0 ${width} ${height}" aria-hidden="true" @click=${this.clicked} @dblclick=${this.opened}>
			<defs><pattern id="activity-wait" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch" width="2" height="4"></rect></pattern></defs>
			${axisTicks(part, width).map(
				(at) => svg`<line class="tick" x1=${x(at)} x2=${x(at)} y1=${axisHeight - 4} y2=${height}></line>
				<text class="axis" x=${Math.min(x(at) + 3, width - 60)} y="12">${part.to - part.from < 100_000 ? count(at) : since(start, at)}</text>`,
			)}
			${lanes.map(
				(lane, row) => svg`<g transform="translate(0 ${axisHeight + row * laneHeight})">
				<line class="floor" x1="0" x2=${width} y1=${laneHeight - 0.5} y2=${laneHeight - 0.5}></line>
				${lane.bars.map((bar) => this.bar(bar, lane))}</g>`,
			)}
			${wakes.map(({ at, from, row }) => svg`<path class="wake" d="M${at} ${middle(from)}V${middle(row)}m-3 ${from < row ? -5 : 5}l3 ${from < row ? 5 : -5}l3 ${from < row ? -5 : 5}"></path>`)}
			${isIn(now) ? svg`<line class="now" x1=${x(now)} x2=${x(now)} y1="0" y2=${height}></line>` : nothing}
			${model.marks.filter(({ at }) => isIn(at)).map(({ at, hart }) => svg`<g class="mark"><line x1=${x(at)} x2=${x(at)} y1="0" y2=${height}></line><path d="M${x(at)} ${axisHeight + hart * laneHeight}l6 6l-6 6l-6 -6z"></path></g>`)}
		</svg>`;
	}

	private bar({ span, index, x, width }: Bar, lane: ActivityLane) {
		const { kind, pid } = span;
		const ofHart = lane.hart !== undefined;
		const [y, height] = {
			runs: [3, 13],
			trap: [16, 4],
			holds: [19, 3],
			waits: ofHart ? [17, 6] : [3, 13],
			sleeps: [12, 2],
			ready: [9, 2],
		}[kind] as [number, number];
		const chosen = span === this.chosen ? "chosen" : "";
		const label = kind === "runs" && width > 24 ? (ofHart ? String(pid) : `h${span.hart}`) : "";
		return svg`<rect class="bar ${kind} ${ownerClass(this.run, pid)} ${chosen}" data-index=${index} x=${x} y=${y} width=${width} height=${height}><title>${this.tooltip(span)}</title></rect>
			${label ? svg`<text class="label" x=${x + 4} y="13">${label}</text>` : nothing}`;
	}

	private tooltip(span: ActivitySpan): string {
		const { pid, hart, from, to } = span;
		const who = pid > 0 ? l10n.t("process {0}", pid) : l10n.t("no process");
		const where = hart === undefined ? "" : `, ${l10n.t("hart {0}", hart)}`;
		return `${who}${where}: ${activityText(span)}, ${l10n.t("{0} instructions", count(to - from))}`;
	}

	private legend() {
		const item = (kind: string, text: string) =>
			html`<span><svg width="18" height="12" aria-hidden="true"><rect class="bar ${kind} o1" x="1" y=${kind === "runs" ? 1 : 4} width="16" height=${{ runs: 10, waits: 6, holds: 3, trap: 4 }[kind] ?? 2}></rect></svg> ${text}</span>`;
		return html`<div class="legend">
			${item("runs", l10n.t("runs"))}${item("trap", l10n.t("in the kernel"))}${item("waits", l10n.t("waits for a lock"))}${item("holds", l10n.t("holds a lock"))}${item("ready", l10n.t("could run"))}${item("sleeps", l10n.t("sleeps"))}
			<span>${icon("arrow-down")} ${l10n.t("wakes")}</span>
		</div>`;
	}

	// ---- the table -----------------------------------------------------------------------------------------------------

	private table(model: ActivityModel, { from, to }: TimePart) {
		const { store } = this;
		const rows = model.spans.filter((span) => span.to >= from && span.from <= to && this.shown.has(groupOf(span)));
		const at = Math.max(0, this.chosen ? rows.indexOf(this.chosen) : 0);
		const first = Math.max(0, Math.min(at - mostRows / 2, rows.length - mostRows));
		const some = rows.slice(first, first + mostRows);
		return html`
			<div class="filters" role="group" aria-label=${l10n.t("Rows of the table")}>${groupNames.map(
				([group, name]) =>
					html`<label><input type="checkbox" .checked=${this.shown.has(group)} @change=${() => this.filter(group)}> ${name()}</label>`,
			)}</div>
			<div class="rows" tabindex="-1" @keydown=${this.tableKey}>
				<table>
					<caption class="sr">${l10n.t("What the picture shows, in the order of the run")}</caption>
					<thead><tr><th scope="col">${l10n.t("Instruction")}</th><th scope="col">${l10n.t("Hart")}</th><th scope="col">${l10n.t("Process")}</th><th scope="col">${l10n.t("What")}</th><th scope="col">${l10n.t("For")}</th><th scope="col">${l10n.t("Where")}</th></tr></thead>
					<tbody>${some.map((span, i) => {
						const here = span === this.chosen;
						return html`<tr class=${here ? "here" : ""} aria-current=${here ? "true" : nothing}>
							<td><button class="link mono" tabindex=${i === (this.chosen && at >= first ? at - first : 0) ? 0 : -1} @click=${() => this.choose(span)}>${count(span.from)}</button></td>
							<td>${span.hart ?? ""}</td><td>${span.pid > 0 ? chip(this.run, span.pid) : ""}</td><td>${activityText(span)}${span.open ? html` <span class="muted">${l10n.t("(beyond this part)")}</span>` : nothing}</td>
							<td class="mono">${count(span.to - span.from)}</td><td>${span.source ? html`${span.source.function ?? ""} ${sourceLink(store, span.source)}` : nothing}</td></tr>`;
					})}</tbody>
				</table>
			</div>
			${rows.length > some.length ? html`<p class="note">${l10n.t("{0} of {1} rows; zoom in to see all of a part.", some.length, count(rows.length))}</p>` : nothing}`;
	}

	private filter(group: ActivityGroup): void {
		if (!this.shown.delete(group)) this.shown.add(group);
		this.requestUpdate();
	}

	private choose(span: ActivitySpan): void {
		this.chosen = span;
		this.shown.add(groupOf(span));
		this.requestUpdate();
		void this.updateComplete.then(() => {
			const box = this.querySelector<HTMLElement>(".rows");
			const row = this.querySelector<HTMLElement>("tr.here");
			if (box && row) box.scrollTop = row.offsetTop - box.clientHeight / 2;
		});
	}

	// ---- mouse and keys --------------------------------------------------------------------------------------------------

	private zoom(by: number, around?: number): void {
		if (this.range) this.look(zoomed(this.range, by, around));
	}

	/** The instruction under the pointer. */
	private timeAt(event: MouseEvent): number {
		const box = (event.currentTarget as SVGElement).getBoundingClientRect();
		const { from, to } = this.range as TimePart;
		return from + ((event.clientX - box.left) / box.width) * (to - from);
	}

	private clicked(event: MouseEvent): void {
		const index = (event.target as SVGElement).dataset.index;
		const span = index === undefined ? undefined : this.model?.spans[Number(index)];
		if (span) this.choose(span);
	}

	private opened(event: MouseEvent): void {
		this.zoom(0.25, this.timeAt(event));
	}

	private key(event: KeyboardEvent): void {
		const { range: part, model } = this;
		if (!part || !model || event.ctrlKey || event.metaKey || event.altKey) return;
		const around = part.from + (part.to - part.from) / 2;
		const wish = {
			"+": () => zoomed(part, 0.5, around),
			"=": () => zoomed(part, 0.5, around),
			"-": () => zoomed(part, 2, around),
			ArrowLeft: () => moved(part, -0.25),
			ArrowRight: () => moved(part, 0.25),
			PageUp: () => moved(part, -1),
			PageDown: () => moved(part, 1),
			Home: () => ({ from: model.oldest, to: model.oldest + part.to - part.from }),
			End: () => ({ from: model.present - (part.to - part.from), to: model.present }),
		}[event.key];
		if (!wish) return;
		event.preventDefault();
		event.stopPropagation();
		this.look(wish());
	}

	private tableKey(event: KeyboardEvent): void {
		roam(event, [...this.querySelectorAll<HTMLElement>("td:first-child > button")], {
			ArrowDown: 1,
			ArrowUp: -1,
		});
	}
}
customElements.define("xv6-activity", Activity);
