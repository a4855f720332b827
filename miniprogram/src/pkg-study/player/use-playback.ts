import { reactive, type Ref } from "vue";

import { Watching } from "../../study/watching";
import type { Play } from "../../study/queue";
import type { FilmPort } from "./film";

/** How the film stands. `blocked`: the browser wants a tap before it plays. `broken`: it did not load. `reach`: up to
 * here it may be looked at. `over`: its end was reached by watching. */
export interface Playback {
  playing: boolean;
  waiting: boolean;
  blocked: boolean;
  broken: boolean;
  over: boolean;
  free: boolean;
  position: number;
  seconds: number;
  reach: number;
}

/** What is heard of the watching. `seen` gets chunks and the player's second; `at` that second and the one up to which
 * all was watched (0 where the film may be wound: then nobody knows). */
export interface Told {
  seen(chunks: number[], position: number): void;
  at(position: number, reach: number): void;
  over(): void;
}

/** Runs the film and tells what was watched. */
export function usePlayback(film: Ref<FilmPort | null>, told: Told) {
  const state = reactive<Playback>({
    playing: false,
    waiting: false,
    blocked: false,
    broken: false,
    over: false,
    free: false,
    position: 0,
    seconds: 0,
    reach: 0,
  });
  let watching: Watching | null = null;
  let address = "";

  /** The film of a lesson, from `start` (seconds); `free`: it may be wound. Nothing of it is fetched before `load`. */
  function prepare(play: Play, start: number, free: boolean): void {
    watching = new Watching({ seconds: play.seconds, chunkSeconds: play.chunk_seconds, chunks: play.chunks }, start, free, Date.now);
    address = play.video_url;
    Object.assign(state, { playing: false, waiting: false, blocked: false, broken: false, over: false, free });
    Object.assign(state, { position: start, seconds: play.seconds, reach: watching.reach });
  }

  /** Put the film into the player, at the place where it stands; again, after its connection broke. */
  function load(): void {
    state.broken = false;
    watching?.moved();
    film.value?.load(address, state.position);
  }

  async function play(): Promise<void> {
    if (state.broken) load();
    if (state.over) {
      state.over = false;
      seek(0);
    }
    state.waiting = true; // until it runs
    state.blocked = (await film.value?.play()) === false;
    if (state.blocked) state.waiting = false;
  }

  function pause(): void {
    film.value?.pause();
  }

  /** Go to `seconds`, as far as that is open. */
  function seek(seconds: number): void {
    if (watching === null) return;
    state.position = Math.max(0, Math.min(seconds, watching.reach));
    state.over = false;
    watching.moved();
    film.value?.seek(state.position);
  }

  /** The lesson is done: it may be wound from now on. */
  function release(): void {
    if (watching === null) return;
    watching.free = true;
    Object.assign(state, { free: true, reach: watching.reach });
  }

  /** What the film tells; bound to its events. */
  const on = {
    time(seconds: number): void {
      if (watching === null) return;
      const step = watching.runs(seconds);
      if (step.back !== null) {
        state.position = step.back;
        film.value?.seek(step.back);
        return;
      }
      Object.assign(state, { position: seconds, reach: watching.reach });
      if (step.seen.length) told.seen(step.seen, seconds);
      told.at(seconds, watching.free ? 0 : watching.reach);
    },
    playing(): void {
      Object.assign(state, { playing: true, waiting: false, blocked: false, broken: false, over: false });
    },
    paused(): void {
      watching?.rests();
      Object.assign(state, { playing: false, waiting: false });
    },
    waiting(): void {
      watching?.rests();
      state.waiting = true;
    },
    moved: () => watching?.moved(),
    ended(): void {
      if (watching === null) return;
      if (watching.reach < state.seconds - 2) return seek(watching.reach); // somebody wound it to its end
      const seen = watching.ends();
      Object.assign(state, { playing: false, waiting: false, over: true, position: state.seconds });
      if (seen.length) told.seen(seen, state.seconds);
      told.over();
    },
    failed(): void {
      watching?.rests();
      Object.assign(state, { playing: false, waiting: false, broken: true });
    },
  };

  return { state, prepare, load, play, pause, seek, release, on };
}
