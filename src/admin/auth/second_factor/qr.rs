//! QR codes as SVG paths.

use qrcode::{Color, EcLevel, QrCode};

use crate::error::Error;

/// The modules of light around the code that scanners need (ISO/IEC 18004).
const QUIET_ZONE: usize = 4;

pub struct QrSvg {
    /// Of the square, in modules.
    pub width: usize,
    /// The dark modules.
    pub path: String,
}

impl QrSvg {
    pub fn new(text: &str) -> Result<QrSvg, Error> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M);
        let code = code.map_err(|error| Error::Internal(format!("no QR code: {error}")))?;
        let (width, mut path) = (code.width(), String::new());
        for (y, row) in code.to_colors().chunks(width).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|one, other| one == other) {
                if run.first() == Some(&Color::Dark) {
                    let (left, top, length) = (x + QUIET_ZONE, y + QUIET_ZONE, run.len());
                    path += &format!("M{left} {top}h{length}v1h-{length}z");
                }
                x += run.len();
            }
        }
        Ok(QrSvg { width: width + 2 * QUIET_ZONE, path })
    }
}
