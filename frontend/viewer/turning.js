// Turning and mirroring the picture. The edge marks follow, because they are read from the camera.

/** Starts the feature. */
export function start({ commands, reader }) {
  const turned = (change) => () => {
    const { isLive, pane } = reader();
    if (isLive) pane.turn(change);
  };
  commands.add({
    rotate: turned({ by: 90 }),
    flip: turned({ flip: true }),
  });
  commands.bind({ t: ["rotate"], f: ["flip"] });
}
