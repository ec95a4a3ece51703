// Plays a series as a film, at the rate of the file or the reader's.

/**
 * @param {{advance: () => boolean, onChange: (playing: boolean, rate: number) => void}} wiring
 *   `advance` shows the next image and says whether it was ready.
 */
export function createCine({ advance, onChange }) {
  let timer = 0;
  let rate = 10;

  function stop() {
    clearInterval(timer);
    timer = 0;
    onChange(false, rate);
  }

  function play() {
    clearInterval(timer);
    timer = setInterval(advance, 1000 / rate);
    onChange(true, rate);
  }

  return {
    stop,
    toggle: () => (timer ? stop() : play()),
    isPlaying: () => Boolean(timer),
    setRate(next) {
      rate = next;
      if (timer) play();
      else onChange(false, rate);
    },
  };
}
