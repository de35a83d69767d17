'use client';
import { useEffect } from 'react';

export default function Page() {
  useEffect(() => {
    globalThis.report = import('../../program.js').then(({ program }) => program());
  }, []);
  return <p>page</p>;
}
