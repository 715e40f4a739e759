import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";

/** Where what may be lost at any time is kept between runs (XDG Base Directory Specification; on Windows and macOS the same). */
export function cacheFolder(): string {
	if (process.env.XDG_CACHE_HOME) return join(process.env.XDG_CACHE_HOME, "xv6-lab");
	const home = homedir();
	return home === "" ? join(tmpdir(), `xv6-lab-${userInfo().username}`) : join(home, ".cache", "xv6-lab");
}
