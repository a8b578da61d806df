//! The one place with `unsafe`: a hint to the processor, which safe Rust has no word for yet.
//!
//! What an event needs of its agent lies somewhere in memory that nothing has touched for a while. The queue knows
//! some events in advance; asking early hides the wait. A hint changes no value, so it cannot change a run.

/// Asks for the first cache line of `place`, which will be used soon.
#[inline(always)]
pub(crate) fn prefetch<T>(place: &T) {
    prefetch_address(core::ptr::from_ref(place).addr());
}

/// Asks for the cache line at an address. Whatever the address, nothing else happens.
#[inline(always)]
#[cfg_attr(
    all(target_arch = "x86_64", not(miri)),
    expect(unsafe_code, reason = "a prefetch takes a raw pointer; benches/README.md says what it gains")
)]
pub(crate) fn prefetch_address(address: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the instruction belongs to SSE, which every x86_64 has. It reads nothing that the program sees, and
        // does not fault, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::without_provenance(address)) };
    }
    #[cfg(any(not(target_arch = "x86_64"), miri))]
    let _ = address;
}
