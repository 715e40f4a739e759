import { html, nothing } from "lit";
import type { NetworkModel, PacketModel, RingModel } from "../../src/protocol/network.ts";
import { l10n } from "../l10n.ts";
import { count } from "../model/format.ts";
import { icon, Part } from "./part.ts";

/** Network card of the machine: its rings, the last packets, what the driver did wrong. Nothing where there is no card. */
export class Network extends Part {
	private network: NetworkModel | undefined;
	private asking = false;
	/** The model of the kernel that was shown when the card was asked for last, and the run that has no card. */
	private shown: object | undefined;
	private without: number | undefined;

	override render() {
		const { network } = this;
		if (!network) return nothing;
		const { rings, packets, interrupt, mistakes } = network;
		return html`
			<section class="part network" aria-labelledby="network-title">
				<h2 id="network-title">${l10n.t("Network card")}<small>${interrupt ? l10n.t("interrupt raised, its cause not cleared yet") : l10n.t("no interrupt raised")}</small></h2>
				${mistakes.map((text) => html`<p class="note">${icon("warning", "warning")} ${text}</p>`)}
				${rings.map((ring) => this.ring(ring))}
				${packets.length === 0 ? html`<p class="muted">${l10n.t("No packet has been sent or received.")}</p>` : this.packets(packets)}
			</section>`;
	}

	override updated(): void {
		const { model, start } = this.store.run ?? {};
		if (!model || model === this.shown || this.asking || this.without === (start ?? 0)) return;
		this.shown = model;
		this.asking = true;
		void this.store.askNetwork().then((network) => {
			this.asking = false;
			this.without = network ? undefined : (start ?? 0);
			if (!network && !this.network) return;
			this.network = network;
			this.requestUpdate();
		});
	}

	private ring({ name, head, tail, descriptors }: RingModel) {
		const title = name === "receive" ? l10n.t("Receive ring") : l10n.t("Transmit ring");
		if (descriptors.length === 0) return html`<p class="muted">${title}: ${l10n.t("not set up")}</p>`;
		return html`
			<h3 class="ring-title">${title}<small>${l10n.t("head {0}, tail {1}; the card owns the framed ones", head, tail)}</small></h3>
			<ol class="ring" start="0">${descriptors.map(({ owner, done, address, length }, i) => {
				const whose = owner === "card" ? l10n.t("the card's") : l10n.t("the driver's");
				const words = `${i}: ${whose}${done ? ", DD" : ""}, ${address}, ${l10n.t("{0} bytes", count(length))}`;
				return html`<li class=${owner} title=${words} aria-label=${words}>${i}${done ? html`<b>DD</b>` : nothing}</li>`;
			})}</ol>`;
	}

	private packets(packets: readonly PacketModel[]) {
		return html`<ul class="packets" tabindex="0" aria-label=${l10n.t("Packets, the newest first")}>${packets
			.toReversed()
			.map(
				({ fromGuest, microseconds, length, layers }) => html`
				<li><details><summary><span class="mono">${(microseconds / 1e6).toFixed(6)}</span> ${
					fromGuest ? l10n.t("sent") : l10n.t("received")
				} ${layers.at(-1)?.startsWith('"') ? `${layers.at(-2)} ${layers.at(-1)}` : layers.at(-1)}</summary>
				${layers.map((layer) => html`<div>${layer}</div>`)}<div>${l10n.t("{0} bytes", count(length))}</div></details></li>`,
			)}</ul>`;
	}
}
customElements.define("xv6-network", Network);
