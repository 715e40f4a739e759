import { join } from "node:path";
import { distFolder } from "../env/node/dist.ts";
import { NodeTree } from "../env/node/sourceTree.ts";
import { LabCatalog } from "../lab/catalog.ts";

export function openCatalog(): LabCatalog {
	return new LabCatalog(new NodeTree(join(distFolder(), "assets")));
}
