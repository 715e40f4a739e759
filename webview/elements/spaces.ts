import { html, nothing, type PropertyValues } from "lit";
import { l10n } from "../l10n.ts";
import { nameOf } from "../model/cards.ts";
import { allPids, type Column, columnAt, columnPage, isScenery } from "../model/columns.ts";
import { count, hex } from "../model/format.ts";
import type { PageAt } from "../model/memory.ts";
import { makeRows, type Row } from "../model/rows.ts";
import { frameList } from "./frameList.ts";
import { roamToolbar } from "./header.ts";
import { ownerClass, Part, relate } from "./part.ts";

const junkWords = 1024;
const mostChips = 24;
const mostFrames = 10;

/** How the columns fit into the part. */
interface Shape {
	readonly narrow: boolean;
	readonly most: number;
	/** Width of a column, 0: what there is. */
	readonly each: number;
	/** Frames stand beside the columns, with lines between. */
	readonly beside: boolean;
}

function shapeFor(width: number, columns: number): Shape {
	const side = width >= 1080 ? Math.min(480, Math.max(380, Math.floor(width * 0.28))) : 0;
	const room = Math.min(width, 2400) - side - (width < 720 ? 24 : 32);
	const narrow = room < 560;
	const most = narrow ? 3 : room < 860 ? 5 : room < 1400 ? 6 : 10;
	const n = Math.min(columns, most);
	if (narrow) return { narrow, most, each: 0, beside: false };
	const labels = 224;
	const gap = 8;
	const beside = labels + n * (64 + gap) + 28 + 56 + 208 <= room;
	const each = Math.floor((room - labels - n * gap - 28 - (beside ? 56 + 232 : 0)) / Math.max(1, n));
	return { narrow, most, each: Math.max(60, Math.min(128, each)), beside };
}

/** One row a virtual page, one column a process. */
export class Spaces extends Part {
	private readonly resized = new ResizeObserver(() => this.drawLinks());

	override connectedCallback(): void {
		super.connectedCallback();
		this.resized.observe(this);
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		this.resized.disconnect();
	}

	override render() {
		const { store } = this;
		const run = this.run;
		const most = shapeFor(store.width, 99).most;
		const columns = store.columns(most);
		const shape = shapeFor(store.width, columns.length);
		const rows = makeRows(run, columns, store.selection?.va);
		const frames = this.frames(columns);
		const notes = run.model.notes["address-space"] ?? [];
		const list = (title: string) => frameList(store, frames, title);
		return html`
			<section class="part" aria-labelledby="spaces-title">
				<h2 id="spaces-title">${l10n.t("Address spaces")}<small>${l10n.t("one row a virtual page, high addresses first")}</small></h2>
				${this.chips(columns)}
				${notes.map((note) => html`<p class="note">${note}</p>`)}
				<div class="spaces ${shape.beside && frames.length > 0 ? "beside" : ""}">
					${this.grid(columns, rows, shape)}
					${shape.beside && frames.length > 0 ? html`<div class="frames-beside">${list("h3")}</div>` : nothing}
					<svg class="links" aria-hidden="true"></svg>
				</div>
				${!shape.beside && frames.length > 0 ? list("below") : nothing}
				${this.legend(rows, columns)}
			</section>`;
	}

	/** Frames of shared and private regions, and the selected page's. */
	private frames(columns: readonly Column[]): number[] {
		const run = this.run;
		const found = new Set<number>();
		for (const column of columns) {
			for (const region of column.space?.regions ?? [])
				for (let i = 0; i < Math.min(region.pages, 16); i++) {
					const frame = columnPage(run, column, Number(region.start) + i * 4096)?.frame;
					if (frame !== undefined && found.size < mostFrames) found.add(frame);
				}
		}
		const selected = this.store.selected?.page?.frame;
		if (selected !== undefined && selected >= 0) found.add(selected);
		return [...found].filter((frame) => frame >= 0).sort((a, b) => a - b);
	}

	private chips(columns: readonly Column[]) {
		const { store } = this;
		const run = this.run;
		const shown = columns.map(({ pid }) => pid);
		const all = allPids(run);
		const near =
			all.length <= mostChips
				? all
				: all
						.filter(
							(pid) =>
								shown.includes(pid) ||
								isScenery(run, pid) ||
								run.model.processes.some((process) => process.pid === pid),
						)
						.slice(-mostChips);
		const left = all.length - near.length;
		const focus = shown[0] ?? near[0];
		return html`
			<div class="chips" role="toolbar" aria-label=${l10n.t("Processes shown")} @keydown=${(event: KeyboardEvent) => roamToolbar(event, [...this.querySelectorAll<HTMLElement>(".chips button")])}>
				${near.map((pid) => {
					const column = columnAt(run, store.index, pid, store.families);
					const mark = column.life === "ended" ? " †" : "";
					return html`<button class="btn process ${ownerClass(run, pid)}" tabindex=${pid === focus ? 0 : -1} aria-pressed=${shown.includes(pid) ? "true" : "false"} title="${nameOf(run, pid)}: ${column.state}" @click=${() => store.toggle(pid, shown)}>${near.length > 12 ? pid : nameOf(run, pid)}${mark}</button>`;
				})}
				${left > 0 ? html`<span class="muted">${l10n.t("and {0} that ended", count(left))}</span>` : nothing}
			</div>`;
	}

	private grid(columns: readonly Column[], rows: readonly Row[], shape: Shape) {
		const n = columns.length;
		const tracks = shape.narrow ? `repeat(${n}, minmax(0, 1fr)) 20px` : `136px 88px repeat(${n}, ${shape.each}px) 20px`;
		const size = shape.narrow ? "narrow" : shape.each < 88 ? "tight" : "";
		return html`
			<div class="table ${size}" role="grid" aria-label=${l10n.t("Pages by process")} aria-colcount=${n + 2} .style=${`grid-template-columns: ${tracks}`} @keydown=${this.key}>
				<div role="row" class="line">
					${shape.narrow ? nothing : html`<span role="columnheader" class="corner" .style=${"grid-column: span 2"}><span class="sr">${l10n.t("Page")}</span></span>`}
					${columns.map((column) => this.head(column))}
					<span role="columnheader"><span class="sr">${l10n.t("Same frame?")}</span></span>
				</div>
				${rows.map((row) => this.row(row, columns, shape))}
			</div>`;
	}

	private head(column: Column) {
		const dagger = column.life === "ended" ? "† " : "";
		return html`<div role="columnheader" class="head ${ownerClass(this.run, column.pid)} ${column.life}" title="${column.pid} ${column.name}: ${column.state}">
			<b>${column.pid} <span>${column.name}</span></b><span class="state">${dagger}${column.state}</span>
		</div>`;
	}

	private row(row: Row, columns: readonly Column[], shape: Shape) {
		if (row.kind === "fold")
			return html`<div role="row" class="line"><span role="gridcell" class="fold" .style=${"grid-column: 1 / -1"}>${row.text}</span></div>`;
		const { head, sign, va } = row;
		const name =
			head &&
			(shape.narrow
				? html`<div role="rowheader" class="group above" .style=${"grid-column: 1 / -1"}><b>${head.name}</b> <span class="muted">${head.note}</span></div>`
				: html`<div role="rowheader" class="group"><b>${head.name}</b><span class="muted">${head.rows > 1 ? nothing : head.note}</span></div>`);
		const label = head
			? name
			: shape.narrow
				? nothing
				: html`<span role="presentation" class="group more">${row.note ?? nothing}</span>`;
		return html`
			<div role="row" class="line ${head ? "first" : ""}">
				${label}
				${shape.narrow ? nothing : html`<span role="rowheader" class="address mono">${hex(va)}</span>`}
				${columns.map((column) => this.cell(column, row))}
				<span role="gridcell" class="verdict-sign ${sign && !sign.same ? "bad" : ""}" title=${sign?.text ?? nothing}>${sign ? html`<span aria-hidden="true">${sign.same ? "=" : "≠"}</span><span class="sr">${sign.text}</span>` : nothing}</span>
			</div>`;
	}

	private cell(column: Column, row: Extract<Row, { kind: "page" }>) {
		const { store } = this;
		const { va } = row;
		const page = columnPage(this.run, column, va);
		if (!page) return html`<span role="gridcell" class="page none"></span>`;
		const { selection } = store;
		const selected = selection?.pid === column.pid && selection.va === va;
		const junk =
			page.frame !== undefined && store.memory?.contents.get(page.frame)?.junk === junkWords && column.life === "live";
		const shape = page.state === "present" ? (junk ? "owner junk" : "owner") : page.state;
		const text = pageText(page, junk);
		const label = l10n.t("process {0}, {1}, {2}: {3}", column.pid, row.name, hex(va), text);
		return html`<div role="gridcell" class="page ${ownerClass(this.run, column.pid)} ${shape} ${column.life}"
			data-pid=${column.pid} data-va=${va} data-frame=${page.frame ?? nothing} tabindex=${selected ? 0 : -1} aria-selected=${selected ? "true" : "false"}
			title=${label} @click=${() => store.select({ pid: column.pid, va })}
			@mouseenter=${() => relate(page.frame)} @mouseleave=${() => relate(undefined)} @focus=${() => relate(page.frame)} @blur=${() => relate(undefined)}
		><span class="sr">${label}</span>${page.frame === undefined ? html`<span aria-hidden="true">${page.state === "lazy" ? l10n.t("lazy") : "–"}</span>` : html`<span aria-hidden="true">${page.frame < 0 ? l10n.t("device") : page.frame}</span><span class="bits" aria-hidden="true">${(page.permissions ?? "").toUpperCase().replaceAll("-", "–")}</span>`}</div>`;
	}

	override updated(changed: PropertyValues): void {
		super.updated(changed);
		const cells = this.cells;
		if (cells.length > 0 && !cells.some((cell) => cell.tabIndex === 0)) (cells[0] as HTMLElement).tabIndex = 0;
		this.drawLinks();
	}

	private get cells(): HTMLElement[] {
		return [...this.querySelectorAll<HTMLElement>(".page:not(.none)")];
	}

	private key(event: KeyboardEvent): void {
		const from = event.target as HTMLElement;
		const { pid, va } = from.dataset;
		if (pid === undefined || va === undefined) return;
		if (event.key === "Enter" || event.key === " ") {
			event.preventDefault();
			this.store.select({ pid: Number(pid), va: Number(va) });
			return;
		}
		const cells = this.cells;
		let target: HTMLElement | undefined;
		if (event.key === "ArrowUp" || event.key === "ArrowDown") {
			const own = cells.filter((cell) => cell.dataset.pid === pid);
			target = own[own.indexOf(from) + (event.key === "ArrowUp" ? -1 : 1)];
		} else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
			const line = cells.filter((cell) => cell.dataset.va === va);
			target = line[line.indexOf(from) + (event.key === "ArrowLeft" ? -1 : 1)];
		} else return;
		event.preventDefault();
		event.stopPropagation();
		if (!target) return;
		from.tabIndex = -1;
		target.tabIndex = 0;
		target.focus();
	}

	private legend(rows: readonly Row[], columns: readonly Column[]) {
		const pages = columns.flatMap((column) =>
			rows.flatMap((row) => (row.kind === "page" ? (columnPage(this.run, column, row.va) ?? []) : [])),
		);
		const has = (state: PageAt["state"]) => pages.some((page) => page.state === state);
		const signs = rows.flatMap((row) => (row.kind === "page" && row.sign ? [row.sign] : []));
		return html`<div class="legend">
			<span><span class="swatch owner o1"></span> ${l10n.t("present")}</span>
			${has("lazy") ? html`<span><span class="swatch lazy o1"></span> ${l10n.t("lazy: promised, no frame yet")}</span>` : nothing}
			${columns.some(({ life }) => life === "ended") ? html`<span><span class="swatch ended o1"></span> ${l10n.t("† of an ended process, as it was last")}</span>` : nothing}
			${has("no-user") ? html`<span><span class="swatch no-user"></span> ${l10n.t("no U: user mode faults")}</span>` : nothing}
			<span><span class="swatch junk"></span> ${l10n.t("holds only kalloc's fill")}</span>
			${signs.some(({ same }) => same) ? html`<span><b>=</b> ${l10n.t("one frame")}</span>` : nothing}
			${signs.some(({ same }) => !same) ? html`<span class="bad"><b>≠</b> ${l10n.t("one shared page, different frames")}</span>` : nothing}
		</div>`;
	}

	/** From each page of a region to its frame, in the colour of its owner. */
	private drawLinks(): void {
		const box = this.querySelector<HTMLElement>(".spaces.beside");
		const canvas = this.querySelector<SVGSVGElement>("svg.links");
		if (!canvas) return;
		canvas.replaceChildren();
		if (!box) return;
		const origin = box.getBoundingClientRect();
		const table = this.querySelector(".table")?.getBoundingClientRect();
		const targets = new Map<string, DOMRect>();
		for (const node of box.querySelectorAll<HTMLElement>(".frame-box"))
			targets.set(node.dataset.frame ?? "", node.getBoundingClientRect());
		const arriving = new Map<string, number>();
		const sources = [...box.querySelectorAll<HTMLElement>(".page[data-frame]")].filter((cell) =>
			targets.has(cell.dataset.frame ?? ""),
		);
		const total = new Map<string, number>();
		for (const { dataset } of sources) total.set(dataset.frame ?? "", (total.get(dataset.frame ?? "") ?? 0) + 1);
		const columns = [...new Set(sources.map(({ dataset }) => dataset.pid))];
		for (const cell of sources) {
			const frame = cell.dataset.frame ?? "";
			const target = targets.get(frame) as DOMRect;
			const nth = (arriving.get(frame) ?? 0) + 1;
			arriving.set(frame, nth);
			const from = cell.getBoundingClientRect();
			const y = from.top - origin.top + (from.height * (columns.indexOf(cell.dataset.pid) + 1)) / (columns.length + 1);
			const end = target.top - origin.top + (target.height * nth) / ((total.get(frame) ?? 1) + 1);
			const [x, bend, to] = [
				from.right - origin.left,
				(table?.right ?? from.right) - origin.left,
				target.left - origin.left,
			];
			const middle = (bend + to) / 2;
			const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
			path.setAttribute("d", `M${x} ${y}H${bend}C${middle} ${y} ${middle} ${end} ${to} ${end}`);
			path.setAttribute(
				"class",
				`${[...cell.classList].find((name) => /^o\d$/.test(name)) ?? "o0"} ${cell.classList.contains("ended") ? "ended" : ""}`,
			);
			path.dataset.frame = frame;
			canvas.append(path);
		}
	}
}
customElements.define("xv6-spaces", Spaces);

function pageText(page: PageAt, junk: boolean): string {
	if (page.frame === undefined) return page.state === "lazy" ? l10n.t("promised, no frame yet") : l10n.t("not mapped");
	const rights = [
		page.permissions?.includes("r") ? l10n.t("read") : "",
		page.permissions?.includes("w") ? l10n.t("write") : "",
		page.permissions?.includes("x") ? l10n.t("execute") : "",
		page.permissions?.includes("u") ? l10n.t("user") : l10n.t("kernel only"),
	].filter(Boolean);
	return [l10n.t("frame {0}", page.frame), ...rights, ...(junk ? [l10n.t("only kalloc's fill")] : [])].join(", ");
}
