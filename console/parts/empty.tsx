import type { ComponentChildren } from 'preact';

/** Where nothing is yet: says so, and what to do next. */
export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

export const Loading = () => (
  <p class="loading" role="status">
    Loading …
  </p>
);
