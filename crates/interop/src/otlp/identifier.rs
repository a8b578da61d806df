//! Identifiers of traces and spans: in hexadecimal, as the standard demands of JSON, or in base64, as the usual mapping of
//! protocol buffers to JSON writes bytes. Their lengths tell the two apart.

/// The identifier of `N` bytes that `text` is; `None` if it is none, or nothing but zeros.
pub(super) fn parse<const N: usize>(text: &str) -> Option<[u8; N]> {
    let bytes = text.as_bytes();
    let (base64_length, padding) = (N.div_ceil(3) * 4, (3 - N % 3) % 3);
    let id = if bytes.len() == 2 * N {
        hexadecimal(bytes)?
    } else if bytes.len() == base64_length && bytes.ends_with(&b"=="[..padding]) {
        base64(&bytes[..base64_length - padding])?
    } else if bytes.len() == base64_length - padding {
        base64(bytes)?
    } else {
        return None;
    };
    (id != [0; N]).then_some(id)
}

fn hexadecimal<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut id = [0; N];
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
    }
    Some(id)
}

/// Of either alphabet, without padding.
fn base64<const N: usize>(letters: &[u8]) -> Option<[u8; N]> {
    let mut id = [0; N];
    let (mut bits, mut held, mut at) = (0_u32, 0, 0);
    for letter in letters {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            *id.get_mut(at)? = (bits >> held) as u8;
            bits &= (1 << held) - 1;
            at += 1;
        }
    }
    // What is left over of the last letter is no part of any byte.
    (at == N && bits == 0).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_mean_the_same() {
        let span: [u8; 8] = [0xEE, 0xE1, 0x9B, 0x7E, 0xC3, 0xC1, 0xB1, 0x74];
        for text in ["eee19b7ec3c1b174", "EEE19B7EC3C1B174", "7uGbfsPBsXQ=", "7uGbfsPBsXQ"] {
            assert_eq!(parse(text), Some(span), "{text}");
        }
        let trace: [u8; 16] = core::array::from_fn(|at| 0xF8 + at as u8 % 8);
        for text in ["f8f9fafbfcfdfefff8f9fafbfcfdfeff", "+Pn6+/z9/v/4+fr7/P3+/w==", "-Pn6-_z9_v_4-fr7_P3-_w"]
        {
            assert_eq!(parse(text), Some(trace), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "0000000000000000",
            "AAAAAAAAAAA=",
            "eee19b7ec3c1b17",
            "eee19b7ec3c1b17g",
            "7uGbfsPBsXR=",
            "7uGbfsPBsX==",
            "7uGbfsPBsX!=",
            "ééé19b7ec3c1b",
        ] {
            assert_eq!(parse::<8>(text), None, "{text}");
        }
    }
}
