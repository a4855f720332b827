import { computed, ref, shallowRef, watch } from "vue";

import { Problem } from "../../api";
import { useAct } from "../../composables/act";
import { onComputer } from "../../device/channel";
import { mobileData, online } from "../../device/network";
import { timers } from "../../device/ports";
import { addressOf } from "../../pages";
import { useSettings } from "../../stores/settings";
import { useStudy, type Lesson } from "../../stores/study";
import { chunksOf } from "../../study/bitmap";
import { leaveToPlay, sizeText } from "../../study/mobile-data";
import type { Play } from "../../study/queue";
import { startOf } from "../../study/watching";
import type { usePlayback } from "./use-playback";

/** Why the lesson does not play, and what the person can do: see stop-panel.vue. */
export interface Stop {
  kind: "elsewhere" | "face" | "face_by_phone" | "mobile_data" | "mobile_data_never" | "purged" | "refused";
  sentence: string;
}

/** What comes after the film's end. */
export type After = "sending" | "gap" | "next" | "all";

const PAUSE = 5; // seconds before the next lesson begins

/** The lesson on the player's screen: opened with the server, stopped by it, followed by the next. */
export function useLesson(enrolment: { value: string }, playback: ReturnType<typeof usePlayback>) {
  const study = useStudy();
  const settings = useSettings();
  const film = playback.state;

  const lessonId = ref("");
  const play = shallowRef<Play | null>(null);
  const stop = ref<Stop | null>(null);
  const loaded = ref(false); // the film is in the player
  const countdown = ref<number | null>(null); // seconds until the next lesson
  let start = 0;
  let wanted = false; // the person wants it to play
  let takingOver = false; // from another device, until it plays here: the face may be checked in between
  let endCount: () => void = () => undefined;

  const lesson = computed<Lesson | undefined>(() => study.course.data?.items.find(({ id }) => id === lessonId.value));
  const next = computed<Lesson | undefined>(() => study.course.data?.items.find(({ id }) => id === play.value?.next_lesson_id));
  const size = computed(() => (play.value ? sizeText(play.value, start) : null));
  const view = computed(() => (study.view?.lesson === lessonId.value ? study.view : null));

  const after = computed<After | null>(() => {
    if (!film.over || stop.value !== null || play.value === null) return null;
    if (film.free || view.value?.done) return play.value.next_lesson_id === null ? "all" : "next";
    return view.value === null || view.value.unsent > 0 || view.value.trouble !== null ? "sending" : "gap";
  });

  /** Open a lesson with the server and play it, or only show it (`play: false`). */
  const opening = useAct(
    async (given: { takeOver?: boolean; play: boolean }) => {
      wanted = given.play;
      takingOver ||= given.takeOver ?? false;
      const key = { enrolment: enrolment.value, lesson: lessonId.value };
      const [answer] = await Promise.all([study.play(key, takingOver), study.look(key.enrolment)]);
      takingOver = false;
      if (key.lesson !== lessonId.value) return;
      stop.value = null;
      play.value = answer;
      const done = lesson.value?.done ?? false;
      const size = { seconds: answer.seconds, chunkSeconds: answer.chunk_seconds, chunks: answer.chunks };
      start = startOf(
        { ...size, resumeAt: answer.resume_at, inOrder: answer.in_order, done },
        chunksOf(answer.watched),
        view.value?.reach ?? 0,
        view.value?.seen ?? 0,
      );
      const seen = film.over; // stopped at its end, before the server could say that it is done
      playback.prepare(answer, start, done || !answer.in_order);
      loaded.value = false;
      if (done && seen) film.over = true;
      else if (wanted) await go();
    },
    (trouble) => {
      if (!(trouble instanceof Problem)) return false;
      if (trouble.code === "studying_elsewhere") stop.value = { kind: "elsewhere", sentence: trouble.sentence };
      else if (trouble.code === "face_check_needed") stop.value = faceStop();
      else return false;
      return true;
    },
  );

  function faceStop(): Stop {
    return onComputer && study.course.data?.face_on_web === "phone_qr"
      ? { kind: "face_by_phone", sentence: "学习前要用您的手机核验本人。" }
      : { kind: "face", sentence: "学习前要核验一下是您本人，大约一分钟。" };
  }

  /** Play, unless the film would cost mobile data that the person has not agreed to. */
  async function go(): Promise<void> {
    wanted = true;
    if (play.value === null || view.value?.halt) return void opening.run({ play: true });
    const leave = leaveToPlay({ costs: mobileData.value, choice: settings.onMobileData, agreed: study.mobileDataAgreed });
    if (leave !== "yes") {
      playback.pause();
      const kind = leave === "ask" ? "mobile_data" : "mobile_data_never";
      stop.value = { kind, sentence: size.value ? `这一课${size.value}。` : "" };
      return;
    }
    stop.value = null;
    if (!loaded.value) playback.load();
    loaded.value = true;
    await playback.play();
  }

  function agreeToMobileData(forever: boolean): void {
    study.mobileDataAgreed = true;
    if (forever) settings.onMobileData = "always";
    void go();
  }

  function rest(): void {
    wanted = false;
    playback.pause();
    study.wake();
  }

  /** Another lesson, in the same player: a browser lets a film that was begun by a tap go on by itself. */
  function turnTo(id: string): void {
    stayHere();
    playback.pause();
    takingOver = false;
    lessonId.value = id;
    // #ifdef H5
    // what a reload opens; the router need not know
    window.history.replaceState(window.history.state, "", `/#${addressOf("player", { enrolment_id: enrolment.value, lesson_id: id })}`);
    // #endif
    play.value = null;
    stop.value = null;
    film.over = false;
    void opening.run({ play: true });
  }

  function count(): void {
    endCount = timers.after(1000, () => {
      if (countdown.value === null) return;
      countdown.value -= 1;
      if (countdown.value > 0) return count();
      if (next.value) turnTo(next.value.id);
    });
  }

  /** The next lesson waits for a tap. */
  function stayHere(): void {
    endCount();
    countdown.value = null;
  }

  watch(after, (now) => {
    stayHere();
    if (now === "next" || now === "all") {
      playback.release();
      void study.look(enrolment.value);
    }
    if (now === "next" && play.value?.autoplay && wanted) {
      countdown.value = PAUSE;
      count();
    }
    if (now === "gap") {
      playback.seek(view.value?.resumeAt ?? 0);
      void go();
    }
  });

  watch(
    () => view.value?.done,
    (done) => done && playback.release(),
  );

  watch(
    () => view.value?.halt,
    (halt) => {
      if (!halt || stop.value !== null) return;
      if (halt === "ticket") return void renew();
      playback.pause();
      const stops: Record<typeof halt, Stop> = {
        face_check: faceStop(),
        other_device: { kind: "elsewhere", sentence: "您已在另一台设备或另一个页面上继续学习，这里先停下。" },
        purged: { kind: "purged", sentence: "您的学时被清零，需要重新学习。请联系客服了解原因。" },
        refused: { kind: "refused", sentence: view.value?.trouble instanceof Problem ? view.value.trouble.sentence : "学习记录没有传上去，请重新打开这一课。" },
      };
      stop.value = stops[halt];
    },
  );

  /** The ticket ran out while the film plays: get another one, the film goes on. */
  async function renew(): Promise<void> {
    try {
      await study.play({ enrolment: enrolment.value, lesson: lessonId.value });
    } catch {
      playback.pause(); // opened again by the person: the sentence comes with it
      await opening.run({ play: false });
    }
  }

  watch(mobileData, (costs) => {
    const asked = stop.value?.kind.startsWith("mobile_data");
    if (costs ? film.playing : asked) void go(); // asks, if it has to
  });
  watch(online, (back) => {
    if (!back) return;
    study.wake();
    if (wanted && (film.waiting || film.broken) && !film.over) {
      playback.load();
      void playback.play();
    } else if (opening.trouble !== null) void opening.run({ play: wanted });
  });

  return { lessonId, lesson, next, play, loaded, stop, size, view, after, countdown, opening, go, rest, turnTo, stayHere, agreeToMobileData };
}
