import { html, nothing } from "lit";
import type { PageContent } from "../../src/protocol/history.ts";
import { l10n } from "../l10n.ts";
import { nameOf } from "../model/cards.ts";
import { hex } from "../model/format.ts";
import { type OwnerCell, ownerStrip, ownersOfFrame } from "../model/owners.ts";
import type { Store } from "../store.ts";
import { chip, ownerClass, relate } from "./part.ts";

/** Events in a strip of owners. */
const mostCells = 40;
const labelledCells = 16;
const wordsPerPage = 1024;

/** Frames with who had each, event by event. */
export function frameList(store: Store, frames: readonly number[], place: string) {
	const { run, index } = store;
	if (!run) return nothing;
	const from = Math.max(0, Math.min(index - Math.floor(mostCells / 2), run.events.length - mostCells));
	const to = Math.min(run.events.length, from + mostCells);
	return html`
		<div class="frame-list ${place}">
			<h3>${l10n.t("Frames of the regions")}<small>${l10n.t("who had each, event by event")}</small></h3>
			<div class="boxes">${frames.map((frame) => frameBox(store, frame, from, to))}</div>
		</div>`;
}

function frameBox(store: Store, frame: number, from: number, to: number) {
	const { run, memory, index } = store;
	if (!run) return nothing;
	const owners = (memory ? ownersOfFrame(run, memory, frame) : []).filter(({ as }) => as === "page");
	const pids = [...new Set(owners.map(({ pid }) => pid))];
	const strip = ownerStrip(run, frame, from, to);
	const label = stripText(frame, strip);
	const content = memory?.contents.get(frame);
	const owner = owners[0];
	return html`
		<button class="frame-box" data-frame=${frame} title=${label}
			@click=${() => owner && store.select({ pid: owner.pid, va: owner.va })}
			@mouseenter=${() => relate(frame)} @mouseleave=${() => relate(undefined)} @focus=${() => relate(frame)} @blur=${() => relate(undefined)}>
			<span class="sr">${label}</span>
			<span class="top" aria-hidden="true"><b class="mono">${frame}</b>${pids.length > 0 ? pids.map((pid) => chip(run, pid)) : html`<span class="muted">${l10n.t("free")}</span>`}<span class="mono muted words">${contentText(content)}</span></span>
			<span class="strip" aria-hidden="true">${strip.map((cell) => stripCell(store, cell, index, strip.length))}</span>
		</button>`;
}

function stripCell(store: Store, { event, owners }: OwnerCell, index: number, cells: number) {
	const { run } = store;
	if (!run) return nothing;
	const pids = [...new Set(owners.map(({ pid }) => pid))];
	const text = cells > labelledCells ? "" : pids.length > 2 ? `${pids.length}×` : pids.join("");
	const who = owners.map(({ pid, va }) => `${nameOf(run, pid)} ${hex(va)}`).join(", ") || l10n.t("free");
	return html`<span class="${event === index ? "here" : ""}" title="${event + 1}: ${who}"><i>${text}</i><span class="bars">${pids.slice(0, 4).map((pid) => html`<b class=${ownerClass(run, pid)}></b>`)}</span></span>`;
}

/** `frame 32555: from event 7 4, from 9 free, from 11 5`. */
function stripText(frame: number, strip: readonly OwnerCell[]): string {
	const parts: string[] = [];
	let last = "";
	for (const { event, owners } of strip) {
		const now = [...new Set(owners.map(({ pid }) => pid))].join("+") || l10n.t("free");
		if (now !== last) parts.push(l10n.t("from event {0} {1}", event + 1, now));
		last = now;
	}
	return l10n.t("frame {0}: {1}", frame, parts.join(", "));
}

function contentText(content: PageContent | undefined): string {
	if (!content) return "";
	if (content.junk === wordsPerPage) return l10n.t("0505… fill only");
	if (content.zero === wordsPerPage) return l10n.t("all zero");
	return `${content.words.slice(0, 2).join(" ")} …`;
}
